/** The jam's picture: clips flow from right to left through the line that is now; what waits ahead is seen coming. */

import { calm } from "./dom.js";
import { paint } from "./picture.js";

const SECONDS = 12; // across the canvas
const NOW = 0.55; // where the line stands
const CALM_MS = 1000;

export class River {
  /** @type {{canvas: OffscreenCanvas, at: number, period: number, again: boolean, picture: any}[]} */ #reach = [];
  #running = false;

  /** @param {HTMLCanvasElement} canvas @param {() => number} clock seconds */
  constructor(canvas, clock) {
    this.canvas = canvas;
    this.clock = clock;
    addEventListener("themechange", () => this.#reach.forEach(({ picture, canvas: own }) => paint(picture, own)));
  }

  /** @param {{clip: {picture: import("./picture.js").Picture}, at: number, period: number}} join @param {boolean} again */
  add({ clip: { picture }, at, period }, again) {
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    paint(picture, canvas);
    this.#reach.push({ canvas, at, period, again, picture });
    if (this.#reach.length > 8) this.#reach.shift();
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
    for (const { canvas, at, period, again } of this.#reach) {
      const x = width * NOW + (at - now) * perSecond;
      if (x > width || x + period * perSecond < 0) continue;
      context.globalAlpha = again ? 0.6 : 1;
      context.drawImage(canvas, x, 0, period * perSecond, height);
      context.globalAlpha = 1;
      context.fillStyle = style.color;
      context.fillRect(Math.round(x), 0, 1, height);
    }
    context.fillStyle = style.accentColor;
    context.fillRect(Math.round(width * NOW) - 1, 0, 2, height);
  }
}
