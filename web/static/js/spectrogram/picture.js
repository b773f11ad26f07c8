/**
 * Spectrogram pictures: grey PNGs in which dark is loud. In memory a picture is its loudness, one byte a pixel.
 *
 * @typedef {object} Picture
 * @property {number} width   columns of 10 ms
 * @property {number} height  mel bands, the top row the highest
 * @property {Uint8ClampedArray} levels  row by row, 0 silent to 255 loud
 */

import { colormap } from "./colormap.js";

export const COLUMN_S = 0.01;
export const ROWS = 512;

/** @param {number} width @param {number} height @returns {Picture} silence */
export const blank = (width, height) => ({ width, height, levels: new Uint8ClampedArray(width * height) });

/** @param {Picture} picture @returns {Picture} */
export const copy = (picture) => ({ ...picture, levels: picture.levels.slice() });

/**
 * Reads a PNG. A stereo picture has no red, the left channel in green and the right in blue; their mean is read.
 * @param {Blob} blob
 * @returns {Promise<Picture>}
 */
export async function readPicture(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  context.drawImage(bitmap, 0, 0);
  const { width, height } = bitmap;
  const { data } = context.getImageData(0, 0, width, height);
  const picture = blank(width, height);
  let stereo = true;
  for (let i = 0; i < data.length && stereo; i += 4) stereo = data[i] === 0;
  for (let i = 0, p = 0; i < data.length; i += 4, p++) {
    picture.levels[p] = 255 - (stereo ? (data[i + 1] + data[i + 2]) / 2 : data[i]);
  }
  return picture;
}

/**
 * Paints a picture in the theme's colours, all of it or some columns.
 * @param {Picture} picture
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas  resized to the picture
 * @param {{from: number, to: number}} [columns]
 */
export function paint(picture, canvas, columns) {
  const { width, height, levels } = picture;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    columns = undefined;
  }
  const from = Math.max(0, columns?.from ?? 0);
  const to = Math.min(width, columns?.to ?? width);
  if (to <= from) return;
  const image = new ImageData(to - from, height);
  const pixels = new Uint32Array(image.data.buffer);
  const map = colormap();
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = from; x < to; x++) pixels[p++] = map[levels[y * width + x]];
  }
  /** @type {any} */ (canvas.getContext("2d")).putImageData(image, from, 0);
}

/** A smaller picture: each pixel is the mean of those that it covers.
 * @param {Picture} picture @param {number} width @param {number} height @returns {Picture} */
export function shrink(picture, width, height) {
  const small = blank(width, height);
  const [dx, dy] = [picture.width / width, picture.height / height];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [sum, count] = [0, 0];
      for (let v = Math.floor(y * dy); v < Math.max((y + 1) * dy, y * dy + 1); v++) {
        for (let u = Math.floor(x * dx); u < Math.max((x + 1) * dx, x * dx + 1); u++, count++) {
          sum += picture.levels[v * picture.width + u] ?? 0;
        }
      }
      small.levels[y * width + x] = sum / count;
    }
  }
  return small;
}

/** The picture as the grey PNG that the server accepts.
 * @param {Picture} picture @returns {Promise<Blob>} */
export function toPng({ width, height, levels }) {
  const image = new ImageData(width, height);
  new Uint32Array(image.data.buffer).forEach((_, p, pixels) => {
    const grey = 255 - levels[p];
    pixels[p] = (255 << 24) | (grey << 16) | (grey << 8) | grey;
  });
  const canvas = new OffscreenCanvas(width, height);
  /** @type {any} */ (canvas.getContext("2d")).putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
