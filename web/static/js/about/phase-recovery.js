/** The example with random phases, and after rounds of Griffin-Lim. */

import { halveRate, toBuffer } from "../audio/buffers.js";
import { griffinLim, magnitudes, stft } from "../audio/fourier.js";
import { find } from "../ui/dom.js";
import { playButton } from "./play-button.js";
import { samples } from "./samples.js";

const [SIZE, HOP] = [1024, 256];
const ROUNDS = [0, 1, 2, 4, 8, 16, 32];

/** @param {HTMLElement} section @param {import("./samples.js").Sample} sample */
export function showPhaseRecovery(section, sample) {
  const dial = /** @type {HTMLInputElement} */ (find("input", section));
  const output = find("output", section);
  const original = find(".original", section);
  const rounds = () => ROUNDS[dial.valueAsNumber];
  const isOriginal = () => original.getAttribute("aria-pressed") === "true";
  const load = async () => {
    const buffer = await samples.sound(sample);
    if (isOriginal()) return buffer;
    const half = halveRate(buffer);
    const known = stft(half.samples, SIZE, HOP).map(magnitudes);
    return toBuffer(griffinLim(known, HOP, half.samples.length, rounds()), half.rate);
  };
  const player = playButton(section, load);
  const change = async () => {
    output.textContent = rounds() ? String(rounds()) : "none: random phases";
    const { playing, time, ready } = player;
    if (!ready) return;
    output.textContent += " …";
    await new Promise((resolve) => setTimeout(resolve, 30)); // lets the browser show the text first
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
