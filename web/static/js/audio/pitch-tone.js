/** A quiet tone at the pitch under the brush, heard while drawing. */

import { audioContext } from "./context.js";

const GLIDE_S = 0.015;
/** Amplitudes of a string's overtones, which fall off as 1 / n. */
const STRING = Float32Array.from({ length: 10 }, (_, n) => (n ? 1 / n : 0));

export class PitchTone {
  /** @type {{oscillator: OscillatorNode, gain: GainNode} | null} */ #sounding = null;

  /** @param {number} hz @param {"brush" | "harmonics"} kind @param {number} loudness 0–1 */
  at(hz, kind, loudness) {
    const context = audioContext();
    if (!this.#sounding) {
      const oscillator = new OscillatorNode(context, { frequency: hz });
      if (kind === "harmonics") oscillator.setPeriodicWave(context.createPeriodicWave(new Float32Array(10), STRING));
      const gain = new GainNode(context, { gain: 0 });
      oscillator.connect(gain).connect(context.destination);
      oscillator.start();
      this.#sounding = { oscillator, gain };
    }
    this.#sounding.oscillator.frequency.setTargetAtTime(hz, context.currentTime, GLIDE_S);
    this.#sounding.gain.gain.setTargetAtTime(0.12 * loudness, context.currentTime, GLIDE_S);
  }

  stop() {
    if (!this.#sounding) return;
    const { oscillator, gain } = this.#sounding;
    const now = audioContext().currentTime;
    gain.gain.setTargetAtTime(0, now, GLIDE_S);
    oscillator.stop(now + GLIDE_S * 8);
    this.#sounding = null;
  }
}
