import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, Client, Problem, UnavailableError } from "../../../web/static/js/client/index.js";
import { hangUp, json, refusal, withServer } from "./scripted-server.js";

const NOW = { "Retry-After": "0" };

/** @param {string} url @param {number} [total] @param {object} [options] */
const batchAt = (url, total = 3, options) => {
  const data = /** @type {any} */ ({ id: "b1", status: "running", total });
  return new Batch(new Client({ url, ...options }).transport, data);
};

/** @param {number} number @param {object} [fields] */
const line = (number, fields) =>
  `${JSON.stringify({ line: number, id: null, status: "held", job: null, error: null, ...fields })}\n`;

/** A body that stays open after its parts, ends, or breaks off.
 * @param {(string | Uint8Array)[]} parts @param {"open" | "end" | "break"} then @returns {import("./scripted-server.js").Reply} */
const body = (parts, then) => async (response) => {
  response.writeHead(200, { "Content-Type": "application/jsonl" });
  for (const part of parts) {
    response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (then === "end") response.end();
  if (then === "break") response.destroy();
};

/** @param {AsyncIterable<import("riffusion").BatchResult>} results */
async function all(results) {
  const found = [];
  for await (const result of results) found.push(result);
  return found;
}

test("a submission is repeated whole and under one key", async () => {
  const replies = [hangUp, refusal("queue_full", 503, NOW), json({ id: "b1", total: 2 }, 202)];
  await withServer(replies, async (url, asked) => {
    const once = new Set(["bells", { mode: /** @type {const} */ ("text-to-audio"), prompt: "x", id: "mine" }]).values();
    assert.equal((await new Client({ url, key: "riff_key" }).submitBatch(once)).id, "b1");
    assert.equal(
      asked[0].body,
      '{"mode":"text-to-audio","prompt":"bells"}\n{"mode":"text-to-audio","prompt":"x","id":"mine"}\n',
    );
    for (const name of /** @type {const} */ (["idempotency-key", "content-type"])) {
      assert.equal(new Set(asked.map(({ headers }) => headers[name])).size, 1);
    }
    assert.equal(asked[2].headers["content-type"], "application/jsonl");
    assert.equal(asked[2].body, asked[0].body);
  });
});

test("results come one at a time, and end when they are left", async () => {
  const left = new Promise((resolve) => {
    const part = /** @type {import("./scripted-server.js").Reply} */ (
      (response, asked) => {
        response.on("close", resolve);
        return body([line(1).slice(0, 9), line(1).slice(9) + line(2)], "open")(response, asked);
      }
    );
    void withServer([part], async (url) => {
      for await (const result of batchAt(url).results()) if (result.line === 2) break;
      await left;
    });
  });
  await left;
});

test("results that break off are resumed where they were", async () => {
  const replies = [
    body([line(1), line(2).slice(0, -5)], "break"),
    refusal("store_unavailable", 503, NOW),
    body([line(1) + line(2)], "end"), // as some proxies end it
    body([line(1, { status: "running" }) + line(2), line(3, { status: "running" })], "end"),
  ];
  await withServer(replies, async (url, asked) => {
    const found = (await all(batchAt(url).results())).map(({ line, status }) => `${line} ${status}`);
    assert.deepEqual(found, ["1 held", "2 held", "3 running"]);
    assert.equal(asked.length, 4);
  });
});

test("results that never come end with an error", async () => {
  await withServer([body([line(1)], "end")], async (url, asked) => {
    const error = await all(batchAt(url, 3, { retryForMs: 1500 }).results()).catch((caught) => caught);
    assert.ok(error instanceof UnavailableError);
    assert.match(error.message, /after 1 of 3 lines/);
    assert.ok(asked.length >= 2);
  });
});

test("a caller may take longer with a result than the server may be silent", async (context) => {
  await withServer([body([line(1), line(2), line(3)], "end")], async (url, asked) => {
    context.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
    let count = 0;
    for await (const _ of batchAt(url, 3, { retryForMs: 0 }).results()) {
      count++;
      for (let second = 0; second < 100; second++) context.mock.timers.tick(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual([count, asked.length], [3, 1]);
  });
});

test("a signal ends the reading", async () => {
  await withServer([body([line(1)], "open")], async (url) => {
    const stop = new AbortController();
    const reading = all(batchAt(url).results({ signal: stop.signal }));
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await assert.rejects(reading, /enough/);
    await assert.rejects(all(batchAt(url).results({ timeoutMs: 50 })), { name: "TimeoutError" });
  });
});

test("results without a job say why", async () => {
  const late = line(1, { status: "failed", error: { code: "deadline_exceeded", detail: "Too late." } });
  const gone = line(2, { status: "succeeded", error: { code: "gone", detail: "It has expired." } });
  await withServer([body([late + gone, line(3, { status: "canceled" })], "end")], async (url) => {
    const errors = (await all(batchAt(url).results())).map(({ error }) => error);
    assert.ok(errors.every((error) => error instanceof Problem));
    assert.deepEqual(
      errors.map((error) => error?.code),
      ["deadline_exceeded", "gone", "canceled"],
    );
  });
});

test("waiting polls for changes only, as often as the server asks", async () => {
  const soon = { ETag: 'W/"1"', "Retry-After": "0" };
  const replies = [
    json({ id: "b1", status: "running", counts: { held: 1 } }, 200, soon),
    (/** @type {import("node:http").ServerResponse} */ response) => response.writeHead(304, soon).end(),
    hangUp,
    json({ id: "b1", status: "completed", counts: { held: 0 } }),
  ];
  await withServer(replies, async (url, asked) => {
    /** @type {string[]} */
    const seen = [];
    const batch = await batchAt(url).wait({ onChange: ({ status }) => seen.push(status) });
    assert.ok(batch.ended);
    assert.deepEqual(seen, ["running", "completed"]);
    assert.deepEqual(
      asked.map(({ path, headers }) => [path, headers["if-none-match"]]),
      [undefined, 'W/"1"', 'W/"1"', 'W/"1"'].map((tag) => ["/batches/b1", tag]),
    );
    await batch.wait();
    assert.equal(asked.length, 4);
  });
});

test("results are whole though the response breaks off behind the last", async () => {
  await withServer([body([line(1), line(2), line(3)], "break")], async (url) => {
    assert.equal((await all(batchAt(url, 3, { retryForMs: 0 }).results())).length, 3);
  });
});
