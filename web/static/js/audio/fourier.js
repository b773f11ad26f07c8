/** The short-time Fourier transform, its inverse, and phase recovery by Griffin and Lim. */

/** In-place radix-2 FFT (Cooley and Tukey 1965); the inverse does not divide by the length.
 * @param {Float32Array} re @param {Float32Array} im  of a power of two elements @param {boolean} [inverse] */
export function fft(re, im, inverse = false) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const angle = ((inverse ? 2 : -2) * Math.PI) / size;
    for (let k = 0; k < size / 2; k++) {
      const [c, s] = [Math.cos(angle * k), Math.sin(angle * k)];
      for (let a = k; a < n; a += size) {
        const b = a + size / 2;
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b]] = [re[a] - x, im[a] - y];
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

/** @typedef {{re: Float32Array, im: Float32Array}} Slice */

/** @param {number} size @returns {Float32Array} Hann window */
const hann = (size) => Float32Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));

/**
 * @param {Float32Array} samples @param {number} size  samples under the window @param {number} hop @param {number} [padded]
 * @returns {Slice[]}
 */
export function stft(samples, size, hop, padded = size) {
  const window = hann(size);
  const slices = [];
  for (let start = -size / 2; start < samples.length - size / 2; start += hop) {
    const slice = { re: new Float32Array(padded), im: new Float32Array(padded) };
    for (let n = 0; n < size; n++) slice.re[n] = (samples[start + n] ?? 0) * window[n];
    fft(slice.re, slice.im);
    slices.push(slice);
  }
  return slices;
}

/** Overlap-add, divided by the sum of the squared windows. The slices are overwritten.
 * @param {Slice[]} slices @param {number} hop @param {number} length @returns {Float32Array} */
export function istft(slices, hop, length) {
  const size = slices[0].re.length;
  const window = hann(size);
  const samples = new Float32Array(length);
  const weight = new Float32Array(length);
  slices.forEach(({ re, im }, index) => {
    fft(re, im, true);
    const start = index * hop - size / 2;
    for (let n = Math.max(0, -start); n < Math.min(size, length - start); n++) {
      samples[start + n] += (re[n] / size) * window[n];
      weight[start + n] += window[n] ** 2;
    }
  });
  for (let n = 0; n < length; n++) samples[n] /= Math.max(weight[n], 1e-3);
  return samples;
}

/**
 * A sound from magnitudes alone (Griffin and Lim 1984): start from random phases, and in each round replace them by the
 * phases of the sound that they give.
 * @param {Float32Array[]} magnitudes @param {number} hop @param {number} length
 * @param {number} rounds  0: random phases
 * @returns {Float32Array}
 */
export function griffinLim(magnitudes, hop, length, rounds) {
  const size = magnitudes[0].length;
  /** @param {(index: number, bin: number) => number} phase */
  const withPhases = (phase) =>
    magnitudes.map((magnitude, index) => {
      const slice = { re: new Float32Array(size), im: new Float32Array(size) };
      for (let bin = 0; bin <= size / 2; bin++) {
        const angle = phase(index, bin);
        slice.re[bin] = magnitude[bin] * Math.cos(angle);
        slice.im[bin] = magnitude[bin] * Math.sin(angle);
        // A real signal is conjugate symmetric about half the rate.
        slice.re[(size - bin) % size] = slice.re[bin];
        slice.im[(size - bin) % size] = -slice.im[bin];
      }
      return slice;
    });
  let samples = istft(
    withPhases(() => Math.random() * 2 * Math.PI),
    hop,
    length,
  );
  for (let round = 0; round < rounds; round++) {
    const slices = stft(samples, size, hop);
    samples = istft(
      withPhases((index, bin) => Math.atan2(slices[index].im[bin], slices[index].re[bin])),
      hop,
      length,
    );
  }
  return samples;
}

/** @param {Slice} slice @returns {Float32Array} */
export const magnitudes = ({ re, im }) => re.map((x, n) => Math.hypot(x, im[n]));
