/**
 * Plays one clip through Web Audio: seeking is exact to the sample, and a loop has no gap at its seam.
 * Fires "change" when it starts, stops or seeks, and "end" when a clip that isn't looped is over.
 */

import { audioContext, heardTime } from "./context.js";

const FADE_S = 0.012;

export class Player extends EventTarget {
  /** @type {AudioBuffer | null} */ #buffer = null;
  /** @type {{node: AudioBufferSourceNode, gain: GainNode, startedAt: number} | null} */ #source = null;
  #position = 0;
  #loop = false;
  #volume = 1;

  /** @param {AudioBuffer | null} buffer */
  load(buffer) {
    this.#silence();
    this.#buffer = buffer;
    this.#position = 0;
    this.#changed();
  }

  /** Replaces the sound, and continues from the same position.
   * @param {AudioBuffer} buffer */
  replace(buffer) {
    const { time, playing } = this;
    this.#silence();
    this.#buffer = buffer;
    this.#position = Math.min(time, buffer.duration);
    if (playing) this.play(this.#position);
    else this.#changed();
  }

  get ready() {
    return this.#buffer !== null;
  }

  get duration() {
    return this.#buffer?.duration ?? 0;
  }

  get playing() {
    return this.#source !== null;
  }

  get volume() {
    return this.#volume;
  }

  /** Seconds into the clip. */
  get time() {
    return this.#at(audioContext().currentTime);
  }

  /** The same of what is heard now: sound takes a while to the loudspeakers. */
  get heard() {
    return this.#at(heardTime());
  }

  /** @param {number} now  by the audio clock, s */
  #at(now) {
    if (!this.#source) return this.#position;
    const elapsed = Math.max(0, now - this.#source.startedAt);
    return this.#loop ? elapsed % this.duration : Math.min(elapsed, this.duration);
  }

  get loop() {
    return this.#loop;
  }

  set loop(on) {
    const { time, playing } = this;
    this.#loop = on;
    if (playing) this.play(time);
    else this.#changed();
  }

  set volume(level) {
    this.#volume = level;
    this.#source?.gain.gain.setTargetAtTime(level ** 2, audioContext().currentTime, FADE_S);
  }

  /** @param {number} [from] seconds */
  play(from = this.#position >= this.duration ? 0 : this.time) {
    if (!this.#buffer) return;
    this.#silence();
    const context = audioContext();
    const node = new AudioBufferSourceNode(context, { buffer: this.#buffer, loop: this.#loop });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setTargetAtTime(this.#volume ** 2, context.currentTime, FADE_S / 4);
    node.connect(gain).connect(context.destination);
    node.onended = () => {
      if (this.#source?.node !== node) return;
      this.#source = null;
      this.#position = this.duration;
      this.#changed();
      this.dispatchEvent(new Event("end"));
    };
    node.start(0, from);
    this.#source = { node, gain, startedAt: context.currentTime - from };
    this.#changed();
  }

  pause() {
    this.#position = this.time;
    this.#silence();
    this.#changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {number} time seconds */
  seek(time) {
    const target = Math.min(Math.max(time, 0), this.duration);
    if (this.playing) this.play(Math.min(target, this.duration - 0.01));
    else {
      this.#position = target;
      this.#changed();
    }
  }

  #silence() {
    if (!this.#source) return;
    const { node, gain } = this.#source;
    this.#source = null;
    const now = audioContext().currentTime;
    gain.gain.setTargetAtTime(0, now, FADE_S / 4);
    node.stop(now + FADE_S * 2);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
