/** A demonstration with a dial that selects one of several clips. */

import { SpectrogramView } from "../spectrogram/spectrogram-view.js";
import { find } from "../ui/dom.js";
import { connectPlayhead, playButton } from "./play-button.js";
import { samples } from "./samples.js";

/** @typedef {import("./samples.js").Sample} Sample */

/**
 * Turning the dial changes picture and sound, and playing continues at the same time. Without a dial there is one clip.
 * @param {HTMLElement} section @param {Sample[]} choices @param {(sample: Sample) => string} label  the dial's text
 */
export function showSampleDial(section, choices, label) {
  const spectrogram = new SpectrogramView(find(".spectrogram", section));
  const dial = /** @type {HTMLInputElement | null} */ (section.querySelector("input[type=range]"));
  const chosen = () => choices[dial ? dial.valueAsNumber : 0];
  const player = playButton(section, () => samples.sound(chosen()));
  connectPlayhead(player, spectrogram);
  const show = async () => {
    const sample = chosen();
    const output = section.querySelector("output");
    if (output) output.textContent = label(sample);
    const picture = await samples.picture(sample);
    if (sample === chosen()) spectrogram.show(picture, sample.duration);
  };
  dial?.addEventListener("input", async () => {
    void show();
    const { time, playing, ready } = player;
    if (!ready) return;
    const sample = chosen();
    const sound = await samples.sound(sample);
    if (sample !== chosen()) return;
    player.load(sound);
    if (playing) player.play(Math.min(time, sound.duration));
  });
  void show();
}
