/**
 * What the stage shows while a clip is painted: noise that thins out with every step, over the picture it starts from
 * if there is one. It shows how far the job is, not what the model sees: that stays on the worker.
 */

import { calm } from "../ui/dom.js";
import { blank, paint, shrink } from "./picture.js";

const [WIDTH, HEIGHT] = [192, 96];
const FRAME_MS = 110;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./picture.js").Picture | null} source
 * @returns {{progress(share: number): void, stop(): void}}  share: 0 is all noise, 1 done
 */
export function denoise(canvas, source) {
  const still = source ? shrink(source, WIDTH, HEIGHT).levels : null;
  const frame = blank(WIDTH, HEIGHT);
  let noise = 1;
  let shown = 1;
  const draw = () => {
    shown += (noise - shown) * (calm.matches ? 1 : 0.3);
    for (let p = 0; p < frame.levels.length; p++) {
      // Music is louder at the bottom of the picture; the noise leans the same way so that the eye expects it.
      const loud = 60 + 110 * (Math.floor(p / WIDTH) / HEIGHT);
      frame.levels[p] = (still?.[p] ?? 0) * (1 - shown) + loud * Math.random() * (0.25 + 0.75 * shown);
    }
    paint(frame, canvas);
  };
  draw();
  const timer = calm.matches ? null : setInterval(draw, FRAME_MS);
  return {
    progress(share) {
      noise = 1 - share;
      if (calm.matches) draw();
    },
    stop() {
      if (timer) clearInterval(timer);
    },
  };
}
