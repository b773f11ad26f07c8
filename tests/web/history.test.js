import assert from "node:assert/strict";
import { test } from "node:test";
import { allClips, prune } from "../../web/static/js/clips/history.js";

/** @param {number} n @returns {import("../../web/static/js/clips/history.js").Clip} */
const clip = (n) => ({ id: `${n}`, at: n, verb: "", parents: [], request: {}, status: "done" });

test("a browser that stores nothing has an empty history", async (t) => {
  t.mock.method(console, "warn", () => {});
  assert.deepEqual(await allClips(), []);
});

test("the oldest clips beyond 120 are dropped", async (t) => {
  t.mock.method(console, "warn", () => {});
  const clips = Array.from({ length: 123 }, (_, n) => clip(n));
  await prune(clips);
  assert.deepEqual([clips.length, clips[0].id], [120, "3"]);
});
