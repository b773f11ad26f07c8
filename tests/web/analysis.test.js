import assert from "node:assert/strict";
import { test } from "node:test";
import { analyse } from "../../web/static/js/spectrogram/analysis.js";
import { heightOf } from "../../web/static/js/spectrogram/mel.js";

test("a tone is a line at its height, at full level", () => {
  const [rate, hz] = [22_050, 1000];
  const samples = Float32Array.from({ length: rate }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rate));
  const picture = analyse(samples, rate, { window: 2048, width: 32, height: 128 });
  const column = Array.from({ length: 128 }, (_, y) => picture.levels[y * 32 + 16]);
  const loudest = column.indexOf(Math.max(...column));
  assert.ok(Math.abs(loudest + 0.5 - (1 - heightOf(hz)) * 128) <= 1, `row ${loudest}`);
  assert.ok(column[loudest] > 240);
  assert.ok(column[5] < 100);
});
