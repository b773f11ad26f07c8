import assert from "node:assert/strict";
import { test } from "node:test";
import { heightOf, hzAt, hzOfMel, hzOfMidi, hzText, melOf, noteAt } from "../../web/static/js/spectrogram/mel.js";

test("heights and frequencies are inverse to each other", () => {
  for (const hz of [60, 440, 1000, 9000]) assert.ok(Math.abs(hzAt(heightOf(hz)) - hz) < 1e-6);
  assert.ok(Math.abs(hzOfMel(melOf(440)) - 440) < 1e-9);
});

test("heights and frequencies stay within the picture", () => {
  assert.deepEqual([heightOf(0), heightOf(20_000), hzAt(-1), hzAt(2)], [0, 1, 0, 10_000]);
});

test("notes are named at concert pitch", () => {
  const names = [440, 261.63, 446, 27.5].map((hz) => noteAt(hz));
  assert.deepEqual(names, [
    { name: "A4", cents: 0 },
    { name: "C4", cents: 0 },
    { name: "A4", cents: 23 },
    { name: "A0", cents: 0 },
  ]);
  assert.equal(noteAt(8), null);
  assert.equal(hzOfMidi(69), 440);
});

test("frequencies are written in hertz or kilohertz", () => {
  assert.deepEqual([440, 1500, 9980].map(hzText), ["440 Hz", "1.50 kHz", "10 kHz"]);
});
