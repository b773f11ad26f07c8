import assert from "node:assert/strict";
import { test } from "node:test";
import { fft, griffinLim, istft, magnitudes, stft } from "../../web/static/js/audio/fourier.js";

const [SIZE, HOP, LENGTH] = [256, 64, 4096];
const tone = Float32Array.from({ length: LENGTH }, (_, n) => Math.sin((2 * Math.PI * 10 * n) / SIZE));

/** @param {Float32Array} a @param {Float32Array} b */
const distance = (a, b) => Math.hypot(...a.map((x, n) => x - b[n]));

/** How far the magnitudes of a sound are from the tone's.
 * @param {Float32Array} samples */
function spectralDistance(samples) {
  const [found, wanted] = [samples, tone].map((sound) => stft(sound, SIZE, HOP).map(magnitudes));
  return Math.hypot(...found.map((slice, n) => distance(slice, wanted[n])));
}

test("a sine is one bin and its mirror image", () => {
  const re = tone.slice(0, SIZE);
  const im = new Float32Array(SIZE);
  fft(re, im);
  const loud = [...re.keys()].filter((bin) => Math.hypot(re[bin], im[bin]) > 1);
  assert.deepEqual(loud, [10, SIZE - 10]);
  assert.ok(Math.abs(Math.hypot(re[10], im[10]) - SIZE / 2) < 1e-3);
});

test("the inverse restores the samples", () => {
  assert.ok(distance(istft(stft(tone, SIZE, HOP), HOP, LENGTH), tone) < 1e-3);
});

test("rounds of Griffin-Lim bring the magnitudes closer", () => {
  const wanted = stft(tone, SIZE, HOP).map(magnitudes);
  const random = spectralDistance(griffinLim(wanted, HOP, LENGTH, 0));
  const recovered = spectralDistance(griffinLim(wanted, HOP, LENGTH, 30));
  assert.ok(recovered < random / 2, `${recovered} of ${random}`);
});
