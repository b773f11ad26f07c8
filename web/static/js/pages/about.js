/** The about page: one module for each demonstration. */

import { showDrawing } from "../about/drawing-demo.js";
import { showPhaseRecovery } from "../about/phase-recovery.js";
import { showSampleDial } from "../about/sample-dial.js";
import { samples } from "../about/samples.js";
import { showToneLadders } from "../about/tone-ladders.js";
import { showWindowLength } from "../about/window-length.js";
import { find } from "../ui/dom.js";

const { example, denoising, between } = await samples.index();

showSampleDial(find("#see"), [example], () => "");
showWindowLength(find("#slice"), example);
showPhaseRecovery(find("#phase"), example);
showToneLadders(find("#scale"));
showDrawing(find("#draw-it"));
showSampleDial(find("#denoising"), denoising, (clip) => (clip.denoising ? `${clip.denoising * 100} %` : "unchanged"));
find("#between .from-end").textContent = between[0].prompt;
find("#between .to-end").textContent = between[between.length - 1].prompt;
showSampleDial(find("#between"), between, () => "");
