/**
 * What is shown while a clip is made: its previews, as soon as there is one. Until then, noise that thins out with every
 * step, over the picture that the clip starts from, if there is one.
 */

import { prefersReducedMotion } from "../ui/dom.js";
import { blank, paint, shrink } from "./picture.js";

const [WIDTH, HEIGHT] = [192, 96];
const FRAME_MS = 110;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./picture.js").Picture | null} source
 * @returns {{progress(done: number): void, preview(picture: import("./picture.js").Picture): void, stop(): void}}
 *   done: 0–1
 */
export function waitingAnimation(canvas, source) {
  const still = source ? shrink(source, WIDTH, HEIGHT).levels : null;
  const frame = blank(WIDTH, HEIGHT);
  /** @type {import("./picture.js").Picture | null} */
  let emerging = null;
  let noise = 1;
  let shown = 1;
  const draw = () => {
    if (emerging) return paint(emerging, canvas); // again each time, since a change of theme repaints the canvas
    shown += (noise - shown) * (prefersReducedMotion() ? 1 : 0.3);
    for (let p = 0; p < frame.levels.length; p++) {
      // Louder at the bottom, as music is.
      const loud = 60 + 110 * (Math.floor(p / WIDTH) / HEIGHT);
      frame.levels[p] = (still?.[p] ?? 0) * (1 - shown) + loud * Math.random() * (0.25 + 0.75 * shown);
    }
    paint(frame, canvas);
  };
  draw();
  const timer = prefersReducedMotion() ? null : setInterval(draw, FRAME_MS);
  return {
    progress(done) {
      noise = 1 - done;
      if (prefersReducedMotion()) draw();
    },
    preview(picture) {
      emerging = picture;
      draw();
    },
    stop() {
      if (timer) clearInterval(timer);
    },
  };
}
