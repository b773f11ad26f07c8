/**
 * The brushes: what one dab of each adds to a picture.
 * Positions are fractions of the picture, from its left and bottom edges.
 *
 * @typedef {import("./picture.js").Picture} Picture
 * @typedef {object} Brush
 * @property {"brush" | "harmonics" | "hit" | "eraser"} kind
 * @property {number} size      radius in pixels of a 512-pixel-high picture
 * @property {number} loudness  0–1
 */

import { heightOf, hzAt } from "./mel.js";

const OVERTONES = 10;

/** The partials of a string: overtones fall off about as a plucked string's do.
 * @param {number} hz  the fundamental
 * @returns {Generator<{n: number, hz: number, level: number}>} level: 0–1, of the fundamental's */
export function* partials(hz) {
  for (let n = 1; n <= OVERTONES && hz * n < 9900; n++) yield { n, hz: hz * n, level: n ** -0.35 };
}

/** Applies one dab of a brush.
 * @param {Picture} picture  changed in place
 * @param {Brush} brush
 * @param {number} x @param {number} y
 * @returns {{from: number, to: number}} the columns that changed
 */
export function dab(picture, brush, x, y) {
  const column = x * picture.width;
  switch (brush.kind) {
    case "hit":
      return hit(picture, brush, column, y);
    case "harmonics": {
      let columns = { from: picture.width, to: 0 };
      for (const { n, hz, level } of partials(hzAt(y))) {
        // A line of one pixel would hardly be audible.
        const quieter = { ...brush, loudness: brush.loudness * level, size: Math.max(2, brush.size / n ** 0.25) };
        columns = spot(picture, quieter, column, heightOf(hz));
      }
      return columns;
    }
    default:
      return spot(picture, brush, column, y);
  }
}

/** A soft round spot; the eraser takes one away.
 * @param {Picture} picture @param {Brush} brush @param {number} column @param {number} height 0–1 */
function spot(picture, { kind, size, loudness }, column, height) {
  const radius = kind === "eraser" ? size * 2 : size;
  const row = (1 - height) * picture.height;
  const [from, to] = [Math.floor(column - radius), Math.ceil(column + radius)];
  for (let y = Math.max(0, Math.floor(row - radius)); y <= Math.min(picture.height - 1, row + radius); y++) {
    for (let x = Math.max(0, from); x <= Math.min(picture.width - 1, to); x++) {
      const near = 1 - Math.hypot(x + 0.5 - column, y + 0.5 - row) / radius;
      if (near <= 0) continue;
      const p = y * picture.width + x;
      const soft = Math.min(1, near * 2);
      if (kind === "eraser") picture.levels[p] *= 1 - soft;
      else picture.levels[p] = Math.max(picture.levels[p], 255 * loudness * soft);
    }
  }
  return { from, to: to + 1 };
}

/** A drum hit: all pitches around the height, decaying within a tenth of a second. Low is a kick drum, high a hi-hat.
 * @param {Picture} picture @param {Brush} brush @param {number} column @param {number} height 0–1 */
function hit(picture, { size, loudness }, column, height) {
  const spread = 0.06 + size / 100;
  const from = Math.max(0, Math.round(column));
  const to = Math.min(picture.width, from + 14);
  for (let y = 0; y < picture.height; y++) {
    const away = Math.abs(1 - (y + 0.5) / picture.height - height) / spread;
    if (away >= 1) continue;
    for (let x = from; x < to; x++) {
      const p = y * picture.width + x;
      const grain = 0.75 + 0.25 * Math.random();
      const level = 255 * loudness * (1 - away ** 2) * Math.exp(-(x - from) / 5) * grain;
      picture.levels[p] = Math.max(picture.levels[p], level);
    }
  }
  return { from, to };
}
