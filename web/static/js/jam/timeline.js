/** The jam's timeline: clips move from right to left through a line at the present, followed by those that are ready. */

import { paint } from "../spectrogram/picture.js";
import { prefersReducedMotion } from "../ui/dom.js";

const SECONDS = 12; // across the canvas
const NOW = 0.55; // where the line is, from the left edge
const REDUCED_MOTION_MS = 1000;
const MAX_CLIPS = 8; // that may still be visible
const FAINT = 0.45; // opacity of clips that repeat or are still to come

/** @typedef {import("../spectrogram/picture.js").Picture} Picture */

export class Timeline {
  /** @type {{picture: Picture, at: number, period: number, from: number, until: number, repeated: boolean}[]} */
  #clips = [];
  /** @type {WeakMap<Picture, OffscreenCanvas>} */ #painted = new WeakMap();
  #running = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => number} clock  seconds
   * @param {() => Picture[]} ahead  pictures that are ready to follow the last
   */
  constructor(canvas, clock, ahead) {
    this.canvas = canvas;
    this.clock = clock;
    this.ahead = ahead;
    addEventListener("themechange", () => (this.#painted = new WeakMap()));
  }

  /** Shows what is heard next, instead of what was to be heard from then on.
   * @param {import("./loop-scheduler.js").Turn} turn @param {boolean} repeated */
  add({ clip: { picture }, at, from, period }, repeated) {
    this.#clips = this.#clips.filter((clip) => clip.from < from).slice(1 - MAX_CLIPS);
    const last = this.#clips.at(-1);
    if (last) last.until = Math.min(last.until, from);
    this.#clips.push({ picture, at, period, from, until: at + period, repeated });
  }

  /** Shows that a clip's picture has changed.
   * @param {Picture} picture @param {{from: number, to: number}} columns */
  redraw(picture, columns) {
    const canvas = this.#painted.get(picture);
    if (canvas) paint(picture, canvas, columns);
  }

  start() {
    this.#clips = [];
    this.#running = true;
    this.#run();
  }

  stop() {
    this.#running = false;
  }

  #run() {
    if (!this.#running) return;
    this.#draw();
    if (prefersReducedMotion()) setTimeout(() => this.#run(), REDUCED_MOTION_MS);
    else requestAnimationFrame(() => this.#run());
  }

  #draw() {
    const { width, height } = this.canvas;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const style = getComputedStyle(this.canvas);
    const perSecond = width / SECONDS;
    const now = this.clock();
    context.clearRect(0, 0, width, height);
    /** @param {Picture} picture @param {{at: number, period: number, from?: number, until?: number}} times
     * @param {number} strength */
    const draw = (picture, { at, period, from = at, until = at + period }, strength) => {
      const x = width * NOW + (from - now) * perSecond;
      const w = (until - from) * perSecond;
      if (x > width || x + w < 0) return;
      const painted = this.#paint(picture);
      const columns = painted.width / period; // per second
      context.globalAlpha = strength;
      context.drawImage(painted, (from - at) * columns, 0, (until - from) * columns, painted.height, x, 0, w, height);
      context.globalAlpha = 1;
      context.fillStyle = style.color;
      context.fillRect(Math.round(x), 0, 1, height);
    };
    for (const clip of this.#clips) draw(clip.picture, clip, clip.repeated ? FAINT : 1);
    const last = this.#clips.at(-1);
    if (last) {
      for (const [n, picture] of this.ahead().entries()) {
        draw(picture, { at: last.at + (n + 1) * last.period, period: last.period }, FAINT);
      }
    }
    context.fillStyle = style.accentColor;
    context.fillRect(Math.round(width * NOW) - 1, 0, 2, height);
  }

  /** @param {Picture} picture */
  #paint(picture) {
    let canvas = this.#painted.get(picture);
    if (!canvas) {
      canvas = new OffscreenCanvas(picture.width, picture.height);
      paint(picture, canvas);
      this.#painted.set(picture, canvas);
    }
    return canvas;
  }
}
