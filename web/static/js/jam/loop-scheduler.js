/**
 * Endless playback on the Web Audio clock. Each clip is a loop of whole bars. One that is ready in time takes over at the
 * loop's end. Until then the one before repeats, and a late one takes over at the next bar line, at the same place in its
 * own bars. One clip or another is always playing, so there is no gap.
 *
 * Fires "join" with the `Turn` when a clip takes over, "repeat" with a `Turn` when the next is not ready and the clip
 * repeats, and "trouble" with the error when a clip couldn't be made.
 *
 * @typedef {object} JamClip
 * @property {AudioBuffer} buffer
 * @property {import("../spectrogram/picture.js").Picture} picture
 * @property {import("../api/http.js").Job} job
 * @property {import("./interpolation-path.js").Position} position
 * @property {number} take  which of the visitor's takes it keeps; see `PlayedNotes`
 *
 * @typedef {object} Turn  times are the context's, in seconds
 * @property {JamClip} clip
 * @property {number} at  when its loop begins, or would have begun
 * @property {number} from  from when it is heard
 * @property {number} period  of the loop
 */

import { pause } from "../client/waiting.js";

const AHEAD = 3;
const LOOKAHEAD_S = 1.5; // timers of background tabs tick once a second
const SOON_S = 0.1; // in which sound that is scheduled still comes in time
const TICK_MS = 250;
const FADE_S = 0.03;
const RETRY_MS = 4000;
const RISE = Float32Array.from({ length: 17 }, (_, n) => Math.sin((n / 16) * (Math.PI / 2)));
const FALL = RISE.toReversed();

export class LoopScheduler extends EventTarget {
  /** @type {{clip: Promise<void>, ready: JamClip | null, abort: AbortController}[]} */ #queue = [];
  /** @type {{source: AudioBufferSourceNode, gain: GainNode, clip: JamClip, from: number} | null} */ #playing = null;
  /** What is heard until that takes over.
   * @type {{source: AudioBufferSourceNode, gain: GainNode} | null} */
  #before = null;
  /** When the latest loop ends. */
  #boundary = 0;
  /** Whether the clip that plays repeats, or plays on only because nothing else is ready. */
  #late = true;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;

  /**
   * @param {AudioContext} context
   * @param {AudioNode} output
   * @param {{period: number, bars: number}} loop  seconds of each clip, and how many bars these are
   * @param {(signal: AbortSignal) => Promise<JamClip>} make  makes the next clip
   */
  constructor(context, output, { period, bars }, make) {
    super();
    this.context = context;
    this.output = output;
    this.period = period;
    this.bars = bars;
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

  /** Discards the clips that have not been scheduled, and makes others: the first of them as soon as possible. */
  remake() {
    this.#late = true;
    for (const { abort } of this.#queue.splice(0)) abort.abort();
    this.#fill();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { abort } of this.#queue.splice(0)) abort.abort();
    for (const { source, gain } of [this.#before, this.#playing].flatMap((each) => each ?? [])) {
      gain.gain.cancelScheduledValues(0);
      gain.gain.setTargetAtTime(0, this.context.currentTime, 0.2);
      source.stop(this.context.currentTime + 1.5);
    }
    this.#before = this.#playing = null;
  }

  /** Requests clips. While one is late it is the only one, so that no other shares the worker with it. */
  #fill() {
    while (this.#queue.length < (this.#late ? 1 : AHEAD)) {
      const abort = new AbortController();
      const place = { ready: /** @type {JamClip | null} */ (null), abort, clip: Promise.resolve() };
      place.clip = this.make(abort.signal).then(
        (clip) => {
          place.ready = clip;
          if (!abort.signal.aborted) this.#tick();
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
    await pause(RETRY_MS); // its place in the queue stays taken meanwhile, so that there are never more requests than places
    this.#queue = this.#queue.filter((other) => other !== place);
    if (this.#timer) this.#fill();
  }

  #tick() {
    const now = this.context.currentTime;
    if (!this.#playing) this.#boundary = now + SOON_S;
    while (this.#playing && this.#boundary < now + SOON_S) this.#repeat(this.#playing.clip); // no timer came in time
    const next = this.#queue[0]?.ready;
    const line =
      this.#playing && this.#late
        ? this.#barLineAfter(Math.max(now + SOON_S, this.#playing.from + FADE_S))
        : this.#boundary;
    if (next && line - now < LOOKAHEAD_S) {
      this.#queue.shift();
      this.#late = false;
      this.#join(next, line);
      this.#fill();
    } else if (!next && this.#playing && this.#boundary - now < LOOKAHEAD_S) {
      this.#repeat(this.#playing.clip);
    }
  }

  /** @param {JamClip} clip  that plays */
  #repeat(clip) {
    this.#late = true;
    this.#fire("repeat", { clip, at: this.#boundary, from: this.#boundary });
    this.#boundary += this.period;
  }

  /** The first bar line at or after a time, of those in the latest loop. @param {number} time */
  #barLineAfter(time) {
    const bar = this.period / this.bars;
    const left = Math.floor((this.#boundary - time) / bar + 1e-6); // whole bars from there to the loop's end
    return this.#boundary - Math.min(Math.max(left, 0), this.bars) * bar;
  }

  /** @param {JamClip} clip @param {number} from  a bar line */
  #join(clip, from) {
    const source = new AudioBufferSourceNode(this.context, { buffer: clip.buffer, loop: true });
    // Decoders leave a clip some milliseconds short of its bars; an inaudible change of pitch makes it fit.
    const rate = clip.buffer.duration / this.period;
    source.playbackRate.value = rate;
    const gain = new GainNode(this.context, { gain: 0 });
    gain.gain.setValueCurveAtTime(RISE, from, FADE_S);
    source.connect(gain).connect(this.output);
    if (from >= this.#boundary) this.#boundary += this.period;
    const at = this.#boundary - this.period;
    source.start(from, Math.max(0, from - at) * rate); // rounded, the difference may be below 0
    if (this.#playing) {
      this.#playing.gain.gain.setValueCurveAtTime(FALL, from, FADE_S);
      this.#playing.source.stop(from + FADE_S);
    }
    [this.#before, this.#playing] = [this.#playing, { source, gain, clip, from }];
    this.#fire("join", { clip, at, from });
  }

  /** @param {"join" | "repeat"} type @param {Omit<Turn, "period">} turn */
  #fire(type, turn) {
    this.dispatchEvent(new CustomEvent(type, { detail: { ...turn, period: this.period } }));
  }
}
