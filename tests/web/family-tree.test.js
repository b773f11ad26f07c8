import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../../web/static/js/clips/family-tree.js";

/** @param {string} id @param {string[]} parents @returns {import("../../web/static/js/clips/history.js").Clip} */
const clip = (id, ...parents) => ({ id, at: 0, verb: "", parents, request: {}, status: "done" });

test("children stand to the right of their parent, one branch a row", () => {
  const { places, columns, rows } = layOut([clip("a"), clip("b", "a"), clip("c", "a"), clip("d", "b")], 5);
  assert.deepEqual(Object.fromEntries(places), {
    a: { x: 0, y: 0 },
    b: { x: 1, y: 0 },
    d: { x: 2, y: 0 },
    c: { x: 1, y: 1 },
  });
  assert.deepEqual([columns, rows], [3, 2]);
});

test("clips without family share rows, the newest first", () => {
  const { places, rows } = layOut([clip("a"), clip("b", "deleted"), clip("c")], 2);
  assert.deepEqual(
    [places.get("c"), places.get("b"), places.get("a")],
    [
      { x: 0, y: 0 },
      { x: 1, y: 0 },
      { x: 0, y: 1 },
    ],
  );
  assert.equal(rows, 2);
});
