import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.addEventListener = () => {};
const { Problem } = await import("../../web/static/js/api/problem.js");
const { failure, firstBars, interruption, placeInLine, refusal, sourceHint, span } = await import(
  "../../web/static/js/ui/messages.js"
);

test("a place in the queue is an ordinal with a time", () => {
  assert.equal(placeInLine({ position: 0, eta_s: null }), "Next in line");
  assert.equal(placeInLine({ position: 2, eta_s: 61 }), "Third in line, about 61 seconds");
  assert.equal(placeInLine({ position: 7, eta_s: 600 }), "8th in line, about 10 minutes");
  assert.equal(
    placeInLine({ position: 1, eta_s: null, paused: true }),
    "Second in line; the server has paused this model",
  );
  assert.equal(placeInLine(null), "Waiting for its turn");
  assert.equal(span(0.2), "a second");
});

test("an invalid request names its fields", () => {
  const errors = [
    { field: "init.job", message: "is missing" },
    { field: "negative_prompt", message: "is too long" },
  ];
  const problem = new Problem(422, { code: "invalid_request", detail: "No.", errors });
  assert.equal(refusal(problem), "init.job: is missing; negative prompt: is too long");
});

test("a code without a message of its own is explained by the server", () => {
  assert.equal(refusal(new Problem(500, { code: "other", detail: "The server’s words." })), "The server’s words.");
  assert.match(refusal(new TypeError("x")), /bug/);
});

test("an interruption says that the page retries", () => {
  const problem = new Problem(503, { code: "store_unavailable" });
  assert.match(interruption(problem), /list of clips\. This continues by itself/);
});

test("a job without a clip was canceled or failed", () => {
  const job = { id: "j", mode: "riff", request: {}, warnings: [], degraded: false };
  assert.equal(failure({ ...job, status: "canceled", error: { code: "canceled", detail: "" } }), "Canceled.");
  assert.match(
    failure({ ...job, status: "failed", error: { code: "worker_lost", detail: "" } }),
    /machine that made this clip stopped/,
  );
});

test("the first bars of a jam say how long they take", () => {
  const job = { id: "j", mode: "interpolate", request: {}, warnings: [], degraded: false, status: "queued" };
  const say = (/** @type {any} */ state, seconds = 0) => firstBars({ ...job, ...state }, seconds);
  assert.equal(
    say({ queue: { position: 1, eta_s: 40 } }),
    "Waiting for the server. The first bars: second in line, about 40 seconds.",
  );
  assert.equal(say({ status: "running", progress: null }, 2), "Making the first bars.");
  assert.match(say({ status: "running", progress: null }, 20), /busy/);
  const half = { step: 2, total: 4 };
  assert.equal(say({ status: "running", progress: half }, 33), "Making the first bars: about 40 seconds more.");
  assert.equal(say({ status: "running", progress: half }, 3), "Making the first bars: a few more seconds.");
});

test("a denoising strength says what it does", () => {
  const said = [0.1, 0.45, 0.75, 0.9, 1].map((strength) => sourceHint("beat", strength));
  assert.equal(new Set(said).size, 5);
  assert.match(said[2], /how much of the beat is made new\. At 75 %, its rhythm stays/);
});
