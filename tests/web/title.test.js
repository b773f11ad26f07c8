import assert from "node:assert/strict";
import { test } from "node:test";
import { origin, title } from "../../web/static/js/clips/title.js";

test("a clip is called by its prompt, or by the prompts of both ends", () => {
  assert.equal(title({ mode: "riff", prompt: "jazz" }), "jazz");
  assert.equal(title({ mode: "interpolate", start: { prompt: "a" }, end: { prompt: "b" } }), "a → b");
});

test("a clip without a prompt is called by its mode", () => {
  assert.equal(title({ mode: "image-to-audio" }), "a drawing");
  assert.equal(title({ mode: "loop", prompt: "" }), "a loop");
  assert.equal(title({ mode: "another" }), "untitled");
});

test("the origin names the parent", () => {
  const parent = { request: { mode: "riff", prompt: "jazz" } };
  assert.equal(origin("extend", parent), ", extended from jazz");
  assert.equal(origin("another", parent), ", made from jazz");
});
