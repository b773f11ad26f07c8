/** The about page: one small module to each thing that can be touched. */

import { drawSlices } from "./about-slices.js";
import { drawSomething } from "./about-draw.js";
import { hearPhases } from "./about-phases.js";
import { hearScale } from "./about-scale.js";
import { morph, sounds } from "./about-sounds.js";
import { find } from "./dom.js";

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
