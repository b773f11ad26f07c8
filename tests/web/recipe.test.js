import assert from "node:assert/strict";
import { test } from "node:test";
import { readRecipe } from "../../web/static/js/clips/recipe.js";

const RECIPE = { mode: "riff", prompt: `flöte – slow${", solo".repeat(60)}` }; // longer than one byte of a size
const JSON_BYTES = new TextEncoder().encode(JSON.stringify(RECIPE));
const ascii = (/** @type {string} */ text) => [...text].map((letter) => letter.charCodeAt(0));
const size = (/** @type {number} */ n, bits = 8) => [3, 2, 1, 0].map((i) => (n >> (i * bits)) & (2 ** bits - 1));

/** A PNG's chunk, with an empty checksum.
 * @param {string} type @param {number[]} body */
const chunk = (type, body) => [...size(body.length), ...ascii(type), ...body, 0, 0, 0, 0];

/** @param {number[][]} chunks */
const png = (...chunks) => new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...chunks.flat()])]);

/** An ID3 tag with two frames.
 * @param {number} version @param {string} name */
function id3(version, name) {
  const bits = version === 4 ? 7 : 8;
  const frame = (/** @type {string} */ id, /** @type {number[]} */ body) => [
    ...ascii(id),
    ...size(body.length, bits),
    0,
    0,
    ...body,
  ];
  const frames = [...frame("TIT2", [3, 65]), ...frame("TXXX", [3, ...ascii(name), 0, ...JSON_BYTES])];
  return new Blob([new Uint8Array([...ascii("ID3"), version, 0, 0, ...size(frames.length, 7), ...frames])]);
}

test("a PNG's recipe is in an iTXt chunk, after others", async () => {
  const other = chunk("iTXt", [...ascii("Title"), 0, 0, 0, 0, 0, ...ascii("{}")]);
  const recipe = chunk("iTXt", [...ascii("recipe"), 0, 0, 0, ...ascii("en"), 0, 0, ...JSON_BYTES]);
  assert.deepEqual(await readRecipe(png(chunk("IHDR", size(1)), other, recipe)), RECIPE);
});

test("a PNG's recipe may be in a tEXt chunk", async () => {
  const text = chunk("tEXt", [...ascii("recipe"), 0, ...ascii('{"mode":"loop"}')]);
  assert.deepEqual(await readRecipe(png(text)), { mode: "loop" });
});

test("an MP3's recipe is in a TXXX frame of either version of ID3", async () => {
  for (const version of [3, 4]) assert.deepEqual(await readRecipe(id3(version, "recipe")), RECIPE);
});

test("other files have no recipe", async () => {
  const files = [new Blob(["notes"]), png(chunk("IHDR", size(1))), id3(4, "other")];
  files.push(
    png(chunk("tEXt", [...ascii("recipe"), 0, ...ascii("{}")])),
    png(chunk("tEXt", [...ascii("recipe"), 0, 1])),
  );
  for (const file of files) assert.equal(await readRecipe(file), null);
});
