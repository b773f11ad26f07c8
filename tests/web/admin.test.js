import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.addEventListener = () => {};
const stub = { addEventListener() {}, querySelectorAll: () => [] };
globalThis.location = /** @type {any} */ ({ origin: "http://127.0.0.1" });
globalThis.document = /** @type {any} */ ({ querySelector: () => stub, addEventListener() {} });
const { duration, relative, shortId } = await import("../../web/static/js/admin/format.js");
const { pause } = await import("../../web/static/js/admin/live.js");
const { actionsFor } = await import("../../web/static/js/admin/model-actions.js");
const { jobHash, jobsHash, parseRoute } = await import("../../web/static/js/admin/route.js");
const { headline } = await import("../../web/static/js/admin/service-view.js");
const { heartbeat, stage } = await import("../../web/static/js/admin/worker-card.js");
const { note } = await import("../../web/static/js/admin/jobs-view.js");
const { describe } = await import("../../web/static/js/admin/audit-view.js");

/** @type {import("../../web/static/js/admin/operator-api.js").ModelQueue} */
const model = {
  name: "tiny",
  default: true,
  state: "active",
  workers: 2,
  slots: 8,
  waiting: 0,
  running: 3,
  lost: 0,
  clears_in_s: null,
};

test("ages are by the server's clock, and in one unit", () => {
  const at = "2026-11-29T12:00:00Z";
  assert.equal(relative("2026-11-29T11:59:57.500Z", at), "2.5 s ago");
  assert.equal(relative("2026-11-29T13:59:59Z", at), "in 119 min");
  assert.deepEqual([0.04, 59.9, 119, 120, 7200, 172_800].map(duration), [
    "0.0 s",
    "59 s",
    "119 s",
    "2 min",
    "2 h",
    "2 d",
  ]);
});

test("a route survives its way through the address", () => {
  const client = "key:1/ann b&c";
  assert.deepEqual(parseRoute(jobsHash({ client, status: "" })), { view: "jobs", id: "", query: { client } });
  assert.equal(parseRoute(jobHash("a/b")).id, "a/b");
  for (const hash of ["", "#nonsense", "#job", "#job/"]) assert.equal(parseRoute(hash).view, "service");
});

test("failed reads are repeated later and later, and never sooner than the server asks for", () => {
  assert.deepEqual(
    [0, 1, 2, 9].map((failures) => pause(2, failures, null)),
    [2, 4, 8, 30],
  );
  assert.equal(pause(2, 1, 45), 45);
});

test("a model offers what makes sense for it", () => {
  assert.deepEqual(actionsFor({ ...model }), ["pause", "drain"]);
  assert.deepEqual(actionsFor({ ...model, state: "paused" }), ["resume", "drain"]);
  assert.deepEqual(actionsFor({ ...model, workers: 0, running: 0 }), ["pause", "drain"]);
  assert.deepEqual(actionsFor({ ...model, default: false, workers: 0, running: 0 }), ["pause", "drain", "retire"]);
});

test("the headline says what runs and what waits", () => {
  assert.equal(headline([model, { ...model, waiting: 1 }]), "6 of 16 slots busy on 4 workers; 1 job waiting.");
  assert.equal(headline([{ ...model, workers: 0, waiting: 2 }]), "No worker is up, and 2 jobs wait.");
  assert.equal(headline([]), "No worker is up.");
});

test("a job's stage is what its worker has reported", () => {
  assert.equal(stage({ progress: null }), "preparing");
  assert.equal(stage({ progress: { step: 3, total: 20 } }), "step 3 of 20");
  assert.equal(stage({ progress: { step: 20, total: 20 } }), "20 steps done");
});

test("a worker that has missed heartbeats doesn't look alive", () => {
  assert.equal(heartbeat({ model: "tiny", seen_s: 1.2, late: false }), "heartbeat 1.2 s ago");
  assert.equal(heartbeat({ model: "tiny", seen_s: 6.1, late: true }), "no heartbeat for 6.1 s");
  assert.match(heartbeat({ model: null, seen_s: null, late: true }), /^lost: /);
  assert.equal(heartbeat({ model: "tiny", seen_s: null, late: false }), "alive");
});

test("a line of the list says more than the status", () => {
  const queue = { position: 3, eta_s: null, paused: false };
  /** @type {Parameters<typeof note>[0]} */
  const job = { status: "queued", progress: null, error: null, queue };
  assert.equal(note(job), "3 jobs before it");
  assert.equal(note({ ...job, queue: { ...queue, position: 0 } }), "next");
  assert.equal(note({ ...job, queue: { ...queue, paused: true } }), "model paused");
  assert.equal(note({ ...job, status: "failed", error: { code: "worker_lost", detail: "" } }), "worker_lost");
  assert.equal(note({ ...job, status: "running", queue: null, progress: { step: 1, total: 4 } }), "step 1 of 4");
  assert.equal(note({ ...job, status: "succeeded", queue: null }), "");
});

test("details of the audit log are short", () => {
  assert.equal(
    describe({ count: 2, ids: ["a", "b"], filter: { status: "failed" } }),
    'count: 2, filter: {"status":"failed"}',
  );
  assert.equal(shortId(`${"0".repeat(14)}3fa2b1c0${"f".repeat(24)}`), "3fa2b1c0");
  assert.equal(shortId("short"), "short");
});
