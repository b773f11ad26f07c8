/**
 * Endless playback on the Web Audio clock. Each clip is a loop of whole bars, which repeats until the next is ready and
 * takes over at a bar line. One clip or another is always playing, so there is no gap.
 *
 * Fires "join" with { clip, at, period } when a clip takes over, "repeat" with the same when the next is not ready and
 * the clip repeats, and "trouble" with the error when a clip couldn't be made.
 *
 * @typedef {object} JamClip
 * @property {AudioBuffer} buffer
 * @property {import("../spectrogram/picture.js").Picture} picture
 * @property {import("../api/http.js").Job} job
 * @property {import("./interpolation-path.js").Position} position
 * @property {number} take  which of the visitor's takes it keeps; see `PlayedNotes`
 */

import { sleep } from "../api/http.js";

const AHEAD = 3;
const LOOKAHEAD_S = 1.5; // timers of background tabs tick once a second
const TICK_MS = 250;
const FADE_S = 0.03;
const RETRY_S = 4;
const RISE = Float32Array.from({ length: 17 }, (_, n) => Math.sin((n / 16) * (Math.PI / 2)));
const FALL = RISE.toReversed();

export class LoopScheduler extends EventTarget {
  /** @type {{clip: Promise<void>, ready: JamClip | null, abort: AbortController}[]} */ #queue = [];
  /** @type {{source: AudioBufferSourceNode, gain: GainNode, clip: JamClip} | null} */ #playing = null;
  #boundary = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;

  /**
   * @param {AudioContext} context
   * @param {AudioNode} output
   * @param {number} period  seconds of the bars that each clip is
   * @param {(signal: AbortSignal) => Promise<JamClip>} make  makes the next clip
   */
  constructor(context, output, period, make) {
    super();
    this.context = context;
    this.output = output;
    this.period = period;
    this.make = make;
  }

  start() {
    this.#fill();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The clip that took over last. */
  get playing() {
    return this.#playing?.clip ?? null;
  }

  /** The clips that are ready to follow it, in order. */
  get ahead() {
    return this.#queue.flatMap(({ ready }) => ready ?? []);
  }

  /** Discards the clips that have not been scheduled, and makes others. */
  remake() {
    for (const { abort } of this.#queue.splice(0)) abort.abort();
    this.#fill();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { abort } of this.#queue.splice(0)) abort.abort();
    if (!this.#playing) return;
    const { source, gain } = this.#playing;
    gain.gain.cancelScheduledValues(0);
    gain.gain.setTargetAtTime(0, this.context.currentTime, 0.2);
    source.stop(this.context.currentTime + 1.5);
    this.#playing = null;
  }

  #fill() {
    while (this.#queue.length < AHEAD) {
      const abort = new AbortController();
      const place = { ready: /** @type {JamClip | null} */ (null), abort, clip: Promise.resolve() };
      place.clip = this.make(abort.signal).then(
        (clip) => {
          place.ready = clip;
        },
        (error) => this.#failed(place, error),
      );
      this.#queue.push(place);
    }
  }

  /** @param {any} place @param {unknown} error */
  async #failed(place, error) {
    if (place.abort.signal.aborted) return;
    this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    await sleep(RETRY_S); // its place in the queue stays taken meanwhile, so that there are never more requests than places
    this.#queue = this.#queue.filter((other) => other !== place);
    if (this.#timer) this.#fill();
  }

  #tick() {
    const now = this.context.currentTime;
    if (!this.#playing) this.#boundary = now + LOOKAHEAD_S / 10;
    while (this.#playing && this.#boundary < now) this.#boundary += this.period; // the timer may have missed a bar line
    if (this.#boundary - now > LOOKAHEAD_S) return;
    const next = this.#queue[0]?.ready;
    if (next) {
      this.#queue.shift();
      this.#join(next, this.#boundary);
      this.#fill();
    } else if (this.#playing) {
      this.#fire("repeat", this.#playing.clip);
    } else {
      return;
    }
    this.#boundary += this.period;
  }

  /** @param {JamClip} clip @param {number} at */
  #join(clip, at) {
    const source = new AudioBufferSourceNode(this.context, { buffer: clip.buffer, loop: true });
    // Decoders leave a clip some milliseconds short of its bars; an inaudible change of pitch makes it fit.
    source.playbackRate.value = clip.buffer.duration / this.period;
    const gain = new GainNode(this.context, { gain: 0 });
    gain.gain.setValueCurveAtTime(RISE, at, FADE_S);
    source.connect(gain).connect(this.output);
    source.start(at);
    if (this.#playing) {
      this.#playing.gain.gain.setValueCurveAtTime(FALL, at, FADE_S);
      this.#playing.source.stop(at + FADE_S);
    }
    this.#playing = { source, gain, clip };
    this.#fire("join", clip);
  }

  /** @param {"join" | "repeat"} type @param {JamClip} clip */
  #fire(type, clip) {
    this.dispatchEvent(new CustomEvent(type, { detail: { clip, at: this.#boundary, period: this.period } }));
  }
}
