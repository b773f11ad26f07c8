/** The spectrogram of one sound, computed with the window length that the dial selects. */

import { halveRate } from "../audio/buffers.js";
import { analyse } from "../spectrogram/analysis.js";
import { SpectrogramView } from "../spectrogram/spectrogram-view.js";
import { find } from "../ui/dom.js";
import { samples } from "./samples.js";

/** @param {HTMLElement} section @param {import("./samples.js").Sample} sample */
export function showWindowLength(section, sample) {
  const spectrogram = new SpectrogramView(find(".spectrogram", section));
  spectrogram.setTool("The same sound in slices of this length");
  const dial = /** @type {HTMLInputElement} */ (find("input", section));
  const output = find("output", section);
  const show = async () => {
    const window = 2 ** dial.valueAsNumber;
    const half = halveRate(await samples.sound(sample));
    output.textContent = `${Math.round((window / half.rate) * 1000)} ms`;
    spectrogram.show(analyse(half.samples, half.rate, { window }), half.samples.length / half.rate);
  };
  dial.addEventListener("input", show);
  dial.addEventListener("pointerenter", show, { once: true });
  // The sound is ten times as large as the picture, and is loaded when the dial is used.
  void samples.picture(sample).then((picture) => spectrogram.show(picture, sample.duration));
}
