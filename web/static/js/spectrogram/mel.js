/**
 * The picture's vertical axis: 512 mel bands from 0 to 10 000 Hz (HTK's formula), low pitches at the bottom.
 * Heights are fractions of the picture: 0 at the bottom edge, 1 at the top.
 */

const MAX_HZ = 10_000;
const BANDS = 512;
const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** @param {number} hz */
export const melOf = (hz) => 2595 * Math.log10(1 + hz / 700);

/** @param {number} mel */
export const hzOfMel = (mel) => 700 * (10 ** (mel / 2595) - 1);

const MAX_MEL = melOf(MAX_HZ);

/** The frequency at a height. Band b is centred at (b + 1) / 513 of the mel range and fills (b, b + 1) / 512.
 * @param {number} height 0–1 */
export const hzAt = (height) =>
  Math.min(MAX_HZ, Math.max(0, hzOfMel(((height * BANDS + 0.5) / (BANDS + 1)) * MAX_MEL)));

/** The height of a frequency, 0–1.
 * @param {number} hz */
export const heightOf = (hz) => Math.min(1, Math.max(0, ((melOf(hz) / MAX_MEL) * (BANDS + 1) - 0.5) / BANDS));

/** The nearest note of the tempered scale at A4 = 440 Hz, e.g. { name: "A4", cents: -12 }; null below 16 Hz.
 * @param {number} hz */
export function noteAt(hz) {
  if (hz < 16) return null;
  const exact = 69 + 12 * Math.log2(hz / 440);
  const midi = Math.round(exact);
  return { name: NAMES[midi % 12] + (Math.floor(midi / 12) - 1), cents: Math.round((exact - midi) * 100) };
}

/** @param {number} midi @returns {number} Hz */
export const hzOfMidi = (midi) => 440 * 2 ** ((midi - 69) / 12);

/** @param {number} hz */
export const hzText = (hz) => (hz >= 1000 ? `${(hz / 1000).toFixed(hz >= 9950 ? 0 : 2)} kHz` : `${Math.round(hz)} Hz`);
