/** The about page: one small module to each thing that can be touched. */

import { drawSlices } from "../about/window-length.js";
import { drawSomething } from "../about/drawing-demo.js";
import { hearPhases } from "../about/phase-recovery.js";
import { hearScale } from "../about/tone-ladders.js";
import { morph, sounds } from "../about/samples.js";
import { find } from "../ui/dom.js";

const index = await sounds.index();
const { example, stray, between } = index;

morph(find("#see"), [example], () => "");
drawSlices(find("#slice"), example);
hearPhases(find("#phase"), example);
hearScale(find("#scale"));
drawSomething(find("#draw-it"));
morph(find("#stray"), stray, (clip) => (clip.denoising ? `${clip.denoising * 100} %` : "as it was"));
find("#between .from-end").textContent = between[0].prompt;
find("#between .to-end").textContent = between[between.length - 1].prompt;
morph(find("#between"), between, () => "");
