/** Phases lost and found: the example with random phases, and after rounds of Griffin-Lim. */

import { playButton, sounds } from "./samples.js";
import { thin, toBuffer } from "../spectrogram/analysis.js";
import { find } from "../ui/dom.js";
import { griffinLim, magnitudes, stft } from "../audio/fourier.js";

const [SIZE, HOP] = [1024, 256];
const ROUNDS = [0, 1, 2, 4, 8, 16, 32];

/** @param {HTMLElement} section @param {import("./samples.js").Sample} sample */
export function hearPhases(section, sample) {
  const dial = /** @type {HTMLInputElement} */ (find("input", section));
  const output = find("output", section);
  const original = find(".original", section);
  const rounds = () => ROUNDS[dial.valueAsNumber];
  const isOriginal = () => original.getAttribute("aria-pressed") === "true";
  const load = async () => {
    const buffer = await sounds.sound(sample);
    if (isOriginal()) return buffer;
    const { samples, rate } = thin(buffer);
    const known = stft(samples, SIZE, HOP).map(magnitudes);
    return toBuffer(griffinLim(known, HOP, samples.length, rounds()), rate);
  };
  const player = playButton(section, load);
  const change = async () => {
    output.textContent = rounds() ? String(rounds()) : "none: random phases";
    const { playing, time, ready } = player;
    if (!ready) return;
    output.textContent += " …";
    await new Promise((resolve) => setTimeout(resolve, 30)); // lets the browser show that it is at work
    const sound = await load();
    output.textContent = output.textContent.replace(" …", "");
    player.load(sound);
    if (playing) player.play(time);
  };
  dial.addEventListener("change", () => {
    original.setAttribute("aria-pressed", "false");
    void change();
  });
  original.addEventListener("click", () => {
    original.setAttribute("aria-pressed", String(!isOriginal()));
    void change();
  });
  void change();
}
