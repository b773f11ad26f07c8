import assert from "node:assert/strict";
import { test } from "node:test";
import { InterpolationPath } from "../../web/static/js/jam/interpolation-path.js";

test("a path goes in quarters from seed to seed without repeating an end", () => {
  const path = new InterpolationPath("a");
  const positions = Array.from({ length: 9 }, () => path.next());
  assert.deepEqual(
    positions.map(({ alpha }) => alpha),
    [0, 0.25, 0.5, 0.75, 1, 0.25, 0.5, 0.75, 1],
  );
  assert.equal(positions[5].start, positions[4].end);
  assert.ok(positions.every(({ start, end }) => start.prompt === "a" && end.prompt === "a" && start.seed !== end.seed));
});

test("it turns to another prompt from the nearer end", () => {
  const path = new InterpolationPath("a");
  const [first, , , late] = Array.from({ length: 4 }, () => path.next());
  path.turnTo("b", late);
  const turned = path.next();
  assert.deepEqual([turned.start, turned.end.prompt, turned.alpha], [late.end, "b", 0.75]);
  path.turnTo("c", first);
  assert.equal(path.next().start, first.start);
});
