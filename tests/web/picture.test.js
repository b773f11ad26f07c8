import assert from "node:assert/strict";
import { test } from "node:test";
import { dab } from "../../web/static/js/spectrogram/brush.js";
import { heightOf } from "../../web/static/js/spectrogram/mel.js";
import { blank, copy, shrink } from "../../web/static/js/spectrogram/picture.js";

test("a smaller picture holds means", () => {
  const picture = { width: 4, height: 2, levels: new Uint8ClampedArray([0, 100, 50, 50, 200, 100, 50, 50]) };
  assert.deepEqual([...shrink(picture, 2, 1).levels], [100, 50]);
});

test("a copy is independent", () => {
  const picture = blank(2, 2);
  copy(picture).levels[0] = 9;
  assert.equal(picture.levels[0], 0);
});

test("a brush leaves a spot where it is, and reports the columns", () => {
  const picture = blank(64, 64);
  const columns = dab(picture, { kind: "brush", size: 4, loudness: 1 }, 0.5, 0.25);
  assert.deepEqual(columns, { from: 28, to: 37 });
  assert.ok(picture.levels[48 * 64 + 32] > 200);
  assert.equal(picture.levels[16 * 64 + 32], 0);
  dab(picture, { kind: "eraser", size: 8, loudness: 1 }, 0.5, 0.25);
  assert.ok(picture.levels.every((level) => level < 20));
});

test("harmonics lie at whole multiples of the pitch", () => {
  const picture = blank(8, 512);
  dab(picture, { kind: "harmonics", size: 2, loudness: 1 }, 0.5, heightOf(500));
  const level = (/** @type {number} */ hz) => picture.levels[Math.floor((1 - heightOf(hz)) * 512) * 8 + 4];
  for (const n of [1, 2, 3, 10]) assert.ok(level(500 * n) > 40, `${500 * n} Hz: ${level(500 * n)}`);
  assert.deepEqual([level(750), level(1250)], [0, 0]);
});
