import assert from "node:assert/strict";
import { test } from "node:test";
import { EXAMPLES, randomPrompt } from "../../web/static/js/studio/prompts.js";

test("random prompts are plain words that differ", () => {
  const prompts = Array.from({ length: 50 }, randomPrompt);
  for (const prompt of [...prompts, ...EXAMPLES]) assert.match(prompt, /^[a-z][a-z-]*( [a-z-]+)+(, \d+ bpm)?$/);
  assert.ok(new Set(prompts).size > 25);
});
