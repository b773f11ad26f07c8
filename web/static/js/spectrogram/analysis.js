/** A sound's spectrogram, computed in the browser with the axes and the loudness curve of the model's pictures. */

import { magnitudes, stft } from "../audio/fourier.js";
import { hzAt } from "./mel.js";
import { blank } from "./picture.js";

const CURVE = 0.25;

/**
 * @param {Float32Array} samples @param {number} rate
 * @param {{window: number, width?: number, height?: number}} shape  window: samples, a power of two
 * @returns {import("./picture.js").Picture}
 */
export function analyse(samples, rate, { window, width = 320, height = 256 }) {
  const hop = Math.floor(samples.length / width);
  const columns = stft(samples, window, hop).slice(0, width).map(magnitudes);
  const loudest = columns.reduce((most, column) => column.reduce((a, b) => Math.max(a, b), most), 1e-9);
  const picture = blank(width, height);
  for (let y = 0; y < height; y++) {
    const bin = (hzAt(1 - (y + 0.5) / height) / rate) * window;
    const low = Math.floor(bin);
    columns.forEach((column, x) => {
      const magnitude = column[low] + (column[low + 1] - column[low]) * (bin - low);
      picture.levels[y * width + x] = 255 * (magnitude / loudest) ** CURVE;
    });
  }
  return picture;
}
