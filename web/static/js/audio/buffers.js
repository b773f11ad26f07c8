/** Audio buffers as plain samples, and back. */

const PEAK = 0.7; // of a buffer made here

/** The first channel at half the rate, by averaging pairs: half the work, and spectrograms end at 10 kHz.
 * @param {AudioBuffer} buffer @returns {{samples: Float32Array, rate: number}} */
export function halveRate(buffer) {
  const full = buffer.getChannelData(0);
  const samples = new Float32Array(Math.floor(full.length / 2));
  for (let n = 0; n < samples.length; n++) samples[n] = (full[2 * n] + full[2 * n + 1]) / 2;
  return { samples, rate: buffer.sampleRate / 2 };
}

/** Samples as an audio buffer, scaled to a fixed peak.
 * @param {Float32Array} samples @param {number} rate @returns {AudioBuffer} */
export function toBuffer(samples, rate) {
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
  const peak = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  buffer.copyToChannel(
    samples.map((x) => (x / peak) * PEAK),
    0,
  );
  return buffer;
}
