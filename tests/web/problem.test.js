import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransient, Problem } from "../../web/static/js/api/problem.js";

test("a problem holds code, text and fields of the response", () => {
  const errors = [{ field: "steps", message: "must be at most 150" }];
  const problem = new Problem(422, { code: "invalid_request", detail: "No.", errors }, 3);
  assert.deepEqual([problem.code, problem.message, problem.retryAfter], ["invalid_request", "No.", 3]);
  assert.deepEqual(problem.fields, errors);
});

test("a response without a body has a code and a text, too", () => {
  const problem = new Problem(502, {});
  assert.deepEqual([problem.code, problem.message], ["internal", "The server answered 502."]);
});

test("only what may pass by itself is transient", () => {
  assert.ok(isTransient(new Problem(0, { code: "offline" })));
  assert.ok(isTransient(new Problem(503, { code: "store_unavailable" })));
  assert.ok(!isTransient(new Problem(422, { code: "invalid_request" })));
  assert.ok(!isTransient(new Error("offline")));
});
