/** The quiet tone under the brush: it tells the hand which pitch it is at before the clip is made. */

import { audioContext } from "./player.js";

const GLIDE_S = 0.015;

export class Tone {
  /** @type {{oscillator: OscillatorNode, gain: GainNode} | null} */ #voice = null;

  /** @param {number} hz @param {"brush" | "harmonics"} kind @param {number} loudness 0–1 */
  at(hz, kind, loudness) {
    const context = audioContext();
    if (!this.#voice) {
      const oscillator = new OscillatorNode(context, { frequency: hz });
      if (kind === "harmonics") oscillator.setPeriodicWave(context.createPeriodicWave(new Float32Array(10), STRING));
      const gain = new GainNode(context, { gain: 0 });
      oscillator.connect(gain).connect(context.destination);
      oscillator.start();
      this.#voice = { oscillator, gain };
    }
    this.#voice.oscillator.frequency.setTargetAtTime(hz, context.currentTime, GLIDE_S);
    this.#voice.gain.gain.setTargetAtTime(0.12 * loudness, context.currentTime, GLIDE_S);
  }

  stop() {
    if (!this.#voice) return;
    const { oscillator, gain } = this.#voice;
    const now = audioContext().currentTime;
    gain.gain.setTargetAtTime(0, now, GLIDE_S);
    oscillator.stop(now + GLIDE_S * 8);
    this.#voice = null;
  }
}

const STRING = Float32Array.from({ length: 10 }, (_, n) => (n ? 1 / n : 0));
