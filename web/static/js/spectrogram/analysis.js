/** A sound's spectrogram, computed here: the same axes and the same curve from loudness to ink as the model's pictures. */

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

/** An audio buffer as one channel at a lower rate, by averaging: half the work, and nothing above 10 kHz is shown anyway.
 * @param {AudioBuffer} buffer @returns {{samples: Float32Array, rate: number}} */
export function thin(buffer) {
  const full = buffer.getChannelData(0);
  const samples = new Float32Array(Math.floor(full.length / 2));
  for (let n = 0; n < samples.length; n++) samples[n] = (full[2 * n] + full[2 * n + 1]) / 2;
  return { samples, rate: buffer.sampleRate / 2 };
}

/** @param {Float32Array} samples @param {number} rate @returns {AudioBuffer} */
export function toBuffer(samples, rate) {
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
  const peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  buffer.copyToChannel(
    samples.map((x) => (x / peak) * 0.7),
    0,
  );
  return buffer;
}
