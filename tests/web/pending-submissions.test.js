import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { addSubmission, pendingSubmissions, removeSubmission } from "../../web/static/js/clips/pending-submissions.js";

beforeEach(() => {
  /** @type {Map<string, string>} */
  const stored = new Map();
  const localStorage = {
    getItem: (/** @type {string} */ name) => stored.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => stored.set(name, value),
  };
  Object.defineProperty(globalThis, "localStorage", { value: localStorage, configurable: true });
});

test("a submission is kept until it is removed", () => {
  const first = addSubmission({ mode: "riff" }, { verb: "riff", parents: ["j"] });
  const second = addSubmission({ mode: "loop" }, { verb: "loop" });
  assert.notEqual(first.key, second.key);
  assert.deepEqual(pendingSubmissions(), [first, second]);
  removeSubmission(first);
  assert.deepEqual(pendingSubmissions(), [second]);
});

test("after an hour it is no longer sent", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  addSubmission({ mode: "riff" }, { verb: "" });
  t.mock.timers.tick(3_599_999);
  assert.equal(pendingSubmissions().length, 1);
  t.mock.timers.tick(1);
  assert.equal(pendingSubmissions().length, 0);
});
