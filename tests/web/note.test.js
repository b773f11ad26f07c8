import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessage } from "../../web/static/js/keys/midi.js";
import { NotePen } from "../../web/static/js/keys/note-pen.js";
import { heightOf, hzOfMidi } from "../../web/static/js/spectrogram/mel.js";
import { drawNote } from "../../web/static/js/spectrogram/note.js";
import { blank } from "../../web/static/js/spectrogram/picture.js";

const A4 = { midi: 69, loudness: 1 };
const row = (/** @type {number} */ hz) => Math.floor((1 - heightOf(hz)) * 512);

test("a note fills its columns and no other, loudest in the rows of its partials", () => {
  const picture = blank(64, 512);
  drawNote(picture, A4, { from: 10, to: 30 });
  for (let y = 0; y < 512; y++) {
    const level = picture.levels[y * 64 + 10];
    for (let x = 0; x < 64; x++) assert.equal(picture.levels[y * 64 + x], x >= 10 && x < 30 ? level : 0);
  }
  for (const n of [1, 2, 3, 10]) {
    const middle = row(440 * n);
    const near = [-2, -1, 0, 1, 2].map((away) => picture.levels[(middle + away) * 64 + 20]);
    assert.equal(Math.max(...near), near[2], `partial ${n}`);
    assert.ok(near[2] > 0.8 * 255 * n ** -0.35); // it may lie between two rows
  }
  assert.equal(picture.levels[row(hzOfMidi(66)) * 64 + 20], 0);
});

test("a note only adds", () => {
  const picture = blank(8, 512);
  picture.levels.fill(200);
  drawNote(picture, { midi: 69, loudness: 0.5 }, { from: -4, to: 90 });
  assert.ok(picture.levels.every((level) => level === 200));
});

/** A pen, a playhead, and what it has drawn. */
function pen() {
  const surface = { width: 100 };
  /** @type {{surface: {width: number}, column: number} | null} */
  let place = { surface, column: 0 };
  /** @type {[{width: number}, number, number, number][]} */
  const drawn = [];
  const writer = new NotePen(
    () => place,
    (on, { midi }, { from, to }) => drawn.push([on, midi, from, to]),
  );
  const at = (/** @type {number} */ column, on = surface) => {
    place = { surface: on, column };
  };
  return { writer, drawn, surface, at, stop: () => (place = null) };
}

test("a held note is drawn up to the playhead, through the seam of a loop", () => {
  const { writer, drawn, surface, at } = pen();
  at(90.7);
  writer.press(A4);
  at(95.2);
  writer.advance();
  at(3.9);
  writer.advance();
  writer.release(69);
  assert.deepEqual(drawn, [
    [surface, 69, 90, 95],
    [surface, 69, 95, 100],
    [surface, 69, 0, 3],
    [surface, 69, 3, 4],
  ]);
});

test("a tap is drawn as the shortest sound that has a pitch, and none without a playhead", () => {
  const { writer, drawn, surface, at, stop } = pen();
  at(98);
  writer.press(A4);
  writer.release(69);
  at(20);
  writer.press(A4);
  stop();
  writer.release(69);
  writer.press(A4);
  writer.release(69);
  assert.deepEqual(drawn, [
    [surface, 69, 98, 100],
    [surface, 69, 20, 24],
  ]);
});

test("a note held over the end of a loop goes on at the beginning of the next picture", () => {
  const { writer, drawn, surface, at } = pen();
  const next = { width: 100 };
  at(96);
  writer.press(A4);
  at(7, next);
  writer.release(69);
  assert.deepEqual(drawn, [
    [surface, 69, 96, 100],
    [next, 69, 0, 7],
  ]);
});

test("a note held over a bar line at which another picture takes over goes on where it is, and gets no longer", () => {
  const { writer, drawn, surface, at } = pen();
  const next = { width: 100 };
  at(40);
  writer.press(A4);
  at(51, next);
  writer.advance();
  at(60, next);
  writer.release(69);
  assert.deepEqual(drawn, [
    [surface, 69, 40, 51],
    [next, 69, 51, 60],
  ]);
});

test("MIDI's notes begin with a velocity and end without one", () => {
  const read = (/** @type {number[]} */ ...bytes) => readMessage(Uint8Array.from(bytes));
  assert.deepEqual(read(0x93, 60, 127), { midi: 60, loudness: 1 });
  assert.ok(Math.abs((read(0x90, 60, 32)?.loudness ?? 0) - 0.5) < 0.01);
  assert.deepEqual([read(0x90, 60, 0), read(0x85, 60, 64)], Array(2).fill({ midi: 60, loudness: 0 }));
  assert.deepEqual([read(0xb0, 64, 127), read(0xf8)], [null, null]);
});
