/** Slices of any length: the picture of one sound, computed anew at every turn of the dial. */

import { sounds } from "./samples.js";
import { analyse, thin } from "../spectrogram/analysis.js";
import { find } from "../ui/dom.js";
import { Spectrogram } from "../spectrogram/spectrogram-view.js";

/** @param {HTMLElement} section @param {import("./samples.js").Sample} sample */
export function drawSlices(section, sample) {
  const stage = new Spectrogram(find(".stage", section));
  stage.lend("The same sound in slices of this length");
  const dial = /** @type {HTMLInputElement} */ (find("input", section));
  const output = find("output", section);
  const show = async () => {
    const window = 2 ** dial.valueAsNumber;
    const { samples, rate } = thin(await sounds.sound(sample));
    output.textContent = `${Math.round((window / rate) * 1000)} ms`;
    stage.show(analyse(samples, rate, { window }), samples.length / rate);
  };
  dial.addEventListener("input", show);
  dial.addEventListener("pointerenter", show, { once: true });
  // Until someone is interested, the small picture will do: the sound is ten times as heavy.
  void sounds.picture(sample).then((picture) => stage.show(picture, sample.duration));
}
