/** The jam's picture: clips flow from right to left through the line that is now; what waits ahead is seen coming. */

import { calm } from "../ui/dom.js";
import { paint } from "../spectrogram/picture.js";

const SECONDS = 12; // across the canvas
const NOW = 0.55; // where the line stands
const CALM_MS = 1000;
const KEPT = 8; // clips that may still be in sight
const FAINT = 0.45; // what is repeated, or still to come

/** @typedef {import("../spectrogram/picture.js").Picture} Picture */

export class River {
  /** @type {{picture: Picture, at: number, period: number, again: boolean}[]} */ #reach = [];
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

  /** @param {{clip: {picture: Picture}, at: number, period: number}} join @param {boolean} again */
  add({ clip: { picture }, at, period }, again) {
    this.#reach.push({ picture, at, period, again });
    if (this.#reach.length > KEPT) this.#reach.shift();
  }

  start() {
    this.#reach = [];
    this.#running = true;
    this.#flow();
  }

  stop() {
    this.#running = false;
  }

  #flow() {
    if (!this.#running) return;
    this.#draw();
    if (calm.matches) setTimeout(() => this.#flow(), CALM_MS);
    else requestAnimationFrame(() => this.#flow());
  }

  #draw() {
    const { width, height } = this.canvas;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const style = getComputedStyle(this.canvas);
    const perSecond = width / SECONDS;
    const now = this.clock();
    context.clearRect(0, 0, width, height);
    /** @param {Picture} picture @param {number} at @param {number} period @param {number} strength */
    const draw = (picture, at, period, strength) => {
      const x = width * NOW + (at - now) * perSecond;
      if (x > width || x + period * perSecond < 0) return;
      context.globalAlpha = strength;
      context.drawImage(this.#paint(picture), x, 0, period * perSecond, height);
      context.globalAlpha = 1;
      context.fillStyle = style.color;
      context.fillRect(Math.round(x), 0, 1, height);
    };
    for (const { picture, at, period, again } of this.#reach) draw(picture, at, period, again ? FAINT : 1);
    const last = this.#reach.at(-1);
    if (last) this.ahead().forEach((picture, n) => draw(picture, last.at + (n + 1) * last.period, last.period, FAINT));
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
