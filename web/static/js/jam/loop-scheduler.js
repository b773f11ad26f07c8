/**
 * Endless playback on the Web Audio clock. Each clip is a loop of whole bars, so it repeats on the bar by itself; when
 * the next is ready it takes over at the next bar line. There is no moment without a voice, so there can be no gap.
 *
 * Fires "join" with { clip, at, period } when a clip takes over, "repeat" with the same when the server is behind and
 * the clip plays once more, and "trouble" with the error when a clip couldn't be made.
 *
 * @typedef {object} JamClip
 * @property {AudioBuffer} buffer
 * @property {import("../spectrogram/picture.js").Picture} picture
 * @property {import("../api/http.js").Job} job
 * @property {any} stop  where on the journey it is
 */

import { pause } from "../api/http.js";

const AHEAD = 3;
const LOOKAHEAD_S = 1.5; // timers of background tabs tick once a second
const TICK_MS = 250;
const FADE_S = 0.03;
const RETRY_S = 4;
const RISE = Float32Array.from({ length: 17 }, (_, n) => Math.sin((n / 16) * (Math.PI / 2)));
const FALL = RISE.toReversed();

export class Jam extends EventTarget {
  /** @type {{clip: Promise<void>, ready: JamClip | null, abort: AbortController}[]} */ #queue = [];
  /** @type {{source: AudioBufferSourceNode, gain: GainNode, clip: JamClip} | null} */ #voice = null;
  #boundary = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;

  /**
   * @param {AudioContext} context
   * @param {AudioNode} output
   * @param {number} period  seconds of the bars that each clip is
   * @param {(signal: AbortSignal) => Promise<JamClip>} order  makes the next clip
   */
  constructor(context, output, period, order) {
    super();
    this.context = context;
    this.output = output;
    this.period = period;
    this.order = order;
  }

  start() {
    this.#fill();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The clip that took over last. */
  get playing() {
    return this.#voice?.clip ?? null;
  }

  /** The clips that are ready to follow it, in order. */
  get ahead() {
    return this.#queue.flatMap(({ ready }) => ready ?? []);
  }

  /** Forgets what was ordered and hasn't been scheduled. */
  reorder() {
    for (const { abort } of this.#queue.splice(0)) abort.abort();
    this.#fill();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { abort } of this.#queue.splice(0)) abort.abort();
    if (!this.#voice) return;
    const { source, gain } = this.#voice;
    gain.gain.cancelScheduledValues(0);
    gain.gain.setTargetAtTime(0, this.context.currentTime, 0.2);
    source.stop(this.context.currentTime + 1.5);
    this.#voice = null;
  }

  #fill() {
    while (this.#queue.length < AHEAD) {
      const abort = new AbortController();
      const place = { ready: /** @type {JamClip | null} */ (null), abort, clip: Promise.resolve() };
      place.clip = this.order(abort.signal).then(
        (clip) => void (place.ready = clip),
        (error) => this.#failed(place, error),
      );
      this.#queue.push(place);
    }
  }

  /** @param {any} place @param {unknown} error */
  async #failed(place, error) {
    if (place.abort.signal.aborted) return;
    this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    await pause(RETRY_S); // its place in the queue stays taken meanwhile, so that retries don't pile up
    this.#queue = this.#queue.filter((other) => other !== place);
    if (this.#timer) this.#fill();
  }

  #tick() {
    const now = this.context.currentTime;
    if (!this.#voice) this.#boundary = now + LOOKAHEAD_S / 10;
    while (this.#voice && this.#boundary < now) this.#boundary += this.period; // a timer that slept through a bar line
    if (this.#boundary - now > LOOKAHEAD_S) return;
    const next = this.#queue[0]?.ready;
    if (next) {
      this.#queue.shift();
      this.#join(next, this.#boundary);
      this.#fill();
    } else if (this.#voice) {
      this.#tell("repeat", this.#voice.clip);
    } else {
      return;
    }
    this.#boundary += this.period;
  }

  /** @param {JamClip} clip @param {number} at */
  #join(clip, at) {
    const source = new AudioBufferSourceNode(this.context, { buffer: clip.buffer, loop: true });
    // Decoders leave a clip some milliseconds short of its bars; a change of pitch that nobody hears makes it fit.
    source.playbackRate.value = clip.buffer.duration / this.period;
    const gain = new GainNode(this.context, { gain: 0 });
    gain.gain.setValueCurveAtTime(RISE, at, FADE_S);
    source.connect(gain).connect(this.output);
    source.start(at);
    if (this.#voice) {
      this.#voice.gain.gain.setValueCurveAtTime(FALL, at, FADE_S);
      this.#voice.source.stop(at + FADE_S);
    }
    this.#voice = { source, gain, clip };
    this.#tell("join", clip);
  }

  /** @param {"join" | "repeat"} type @param {JamClip} clip */
  #tell(type, clip) {
    this.dispatchEvent(new CustomEvent(type, { detail: { clip, at: this.#boundary, period: this.period } }));
  }
}
