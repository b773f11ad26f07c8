/** Notes as the spectrogram of a steady string has them: exact to a few cents, which no round brush is. */

import { partials } from "./brush.js";
import { heightOf, hzAt, hzOfMidi } from "./mel.js";

/** Half the width of a steady tone's peak: the main lobe of a Hann window of 100 ms ends 2 / 0.1 s from its centre. */
const LOBE_HZ = 20;

/**
 * Draws a stretch of a note, as loud as what is there already or louder.
 * @param {import("./picture.js").Picture} picture  changed in place
 * @param {{midi: number, loudness: number}} note  loudness: 0–1
 * @param {{from: number, to: number}} columns  the first, and the one after the last
 */
export function drawNote(picture, { midi, loudness }, { from, to }) {
  for (const { hz, level } of partials(hzOfMidi(midi))) {
    for (const [y, shape] of peak(hz, picture.height)) {
      const row = picture.levels.subarray(y * picture.width, (y + 1) * picture.width);
      for (let x = Math.max(0, from); x < Math.min(to, picture.width); x++) {
        row[x] = Math.max(row[x], 255 * loudness * level * shape);
      }
    }
  }
}

/** The rows of a tone, each with its level. A Hann window's main lobe is cos² to within 3 %, of which a pixel shows the
 * fourth root; where rows are wider than the lobe, it reaches the next row.
 * @param {number} hz @param {number} height  rows of the picture
 * @returns {Generator<[number, number]>} row from the top, and level 0–1 */
function* peak(hz, height) {
  const middle = Math.floor((1 - heightOf(hz)) * height);
  const half = Math.max(LOBE_HZ, hzAt(heightOf(hz) + 1 / height) - hz);
  for (let y = Math.max(0, middle - 8); y <= Math.min(height - 1, middle + 8); y++) {
    const away = Math.abs(hzAt(1 - (y + 0.5) / height) - hz) / half;
    if (away < 1) yield [y, Math.sqrt(Math.cos((Math.PI / 2) * away))];
  }
}
