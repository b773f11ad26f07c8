/** The installed package and the real API; only the model is left out. test_package.py sets the environment. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Client, JobError, Problem, RequestError, webhooks } from "riffusion";

const url = String(process.env.SERVER);
const client = new Client({ url, secret: "s".repeat(22) });
const owner = new Client({ url, key: process.env.KEY });

/** @param {string} code @param {any} [kind] */
const problem =
  (code, kind = RequestError) =>
  (/** @type {any} */ error) =>
    error instanceof kind && error.code === code;

/** @template T @param {AsyncIterable<T>} items */
async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

test("from a prompt to a sound", async () => {
  /** @type {string[]} */
  const seen = [];
  const clip = await client.run("0.5", { onChange: ({ status }) => seen.push(status), timeoutMs: 60_000 });
  assert.equal(new TextDecoder().decode(await clip.audio.bytes()), "sound");
  assert.equal(await (await clip.image.blob()).text(), "picture");
  assert.equal((await fetch(clip.audio.url)).status, 200);
  assert.equal(clip.audio.info.format, "mp3");
  assert.deepEqual([...new Set(seen)].at(-1), "succeeded");
  assert.equal(clip.job.data.request.mode, "text-to-audio");
});

test("the same idempotency key makes one job", async () => {
  const options = { idempotencyKey: `contract-${Date.now()}` };
  const [first, second] = [await client.submit("0", options), await client.submit("0", options)];
  assert.equal(first.id, second.id);
  await assert.rejects(client.submit("1", options), problem("idempotency_conflict"));
});

test("many at once, listed", async () => {
  const made = await client.submitMany(["0", "0", "0"]);
  for (const clip of await Promise.all(made.map((job) => job.wait()))) assert.ok(clip.audio.url);
  const listed = (await all(client.jobs({ status: "succeeded" }))).map(({ id }) => id);
  assert.deepEqual(
    made.map(({ id }) => listed.includes(id)),
    [true, true, true],
  );
});

test("without a secret there is no list", async () => {
  await assert.rejects(all(new Client({ url }).jobs()), problem("unauthorized"));
});

test("events lead to the end, from anywhere", async () => {
  const job = await client.submit("1");
  const [states] = await Promise.all([all(client.events(job.id)), all(job.events())]);
  const steps = states.map(({ progress }) => progress?.step ?? 0);
  assert.ok(new Set(steps).size > 2);
  assert.deepEqual(
    steps,
    [...steps].sort((a, b) => a - b),
  );
  assert.equal(states.at(-1)?.status, "succeeded");
  assert.equal((await all(job.events())).length, 1);
});

test("cancel and delete", async () => {
  const job = await client.submit("60");
  await job.cancel();
  assert.equal((await job.cancel()).status, "canceled");
  await assert.rejects(job.wait(), problem("canceled", JobError));
  await job.delete();
  await assert.rejects(client.job(job.id), problem("gone"));
  await assert.rejects(job.delete(), problem("gone"));
});

test("a failure is thrown with its code and job", async () => {
  await assert.rejects(client.run("refuse"), (error) => {
    assert.ok(error instanceof JobError);
    assert.equal(error.code, "broken_picture");
    assert.equal(error.job.status, "failed");
    return true;
  });
});

test("an aborted run cancels its job", async () => {
  const stop = new AbortController();
  let id = "";
  const running = client.run("60", {
    signal: stop.signal,
    onChange: (job) => {
      id = job.id;
      stop.abort(new Error("enough"));
    },
  });
  await assert.rejects(running, /enough/);
  const states = await all(client.events(id, { timeoutMs: 30_000 }));
  assert.equal(states.at(-1)?.status, "canceled");
});

test("waiting may take only so long, and the job goes on", async () => {
  const job = await client.submit("1");
  await assert.rejects(job.wait({ timeoutMs: 50 }), { name: "TimeoutError" });
  assert.equal((await job.wait({ timeoutMs: 60_000 })).job.status, "succeeded");
});

test("uploads are named, listed and deleted", async () => {
  const upload = await client.upload(await readFile(String(process.env.SOUND)), { name: "tone.wav" });
  const listed = await all(client.uploads());
  assert.equal(listed.find(({ id }) => id === upload.upload)?.kind, "audio");
  const job = await client.submit({ mode: "audio-to-audio", clip: upload, prompt: "0" });
  await job.wait();
  await client.deleteUpload(upload);
  assert.ok(!(await all(client.uploads())).some(({ id }) => id === upload.upload));
  await assert.rejects(client.upload(new Blob(["nothing"])), problem("unreadable_media"));
});

test("a batch, from requests to clips", async () => {
  /** @type {number[]} */
  const succeeded = [];
  const batch = await owner.submitBatch(["0", { mode: "text-to-audio", prompt: "0", id: "mine" }, "refuse"]);
  assert.deepEqual([batch.status, batch.data.total], ["running", 3]);
  await batch.wait({ onChange: ({ counts }) => succeeded.push(counts.succeeded), timeoutMs: 60_000 });
  assert.deepEqual([batch.status, batch.counts.failed, succeeded.at(-1)], ["completed", 1, 2]);
  const results = await all(batch.results());
  assert.deepEqual(
    results.map(({ line, id, status }) => [line, id, status]),
    [
      [1, null, "succeeded"],
      [2, "mine", "succeeded"],
      [3, null, "failed"],
    ],
  );
  assert.equal(await (await results[1].clip?.audio.blob())?.text(), "sound");
  assert.equal(results[1].error, null);
  const { error } = results[2];
  assert.ok(error instanceof JobError && error.code === "broken_picture" && error.job.batch === batch.id);
});

test("a batch is found again, canceled and deleted", async () => {
  const batch = await owner.submitBatch(["60", "60"]);
  assert.ok((await all(owner.batches())).some(({ id }) => id === batch.id));
  const found = await owner.batch(batch.id);
  await found.cancel();
  assert.equal((await found.cancel()).status, "canceled");
  assert.ok((await batch.refresh()).ended);
  assert.deepEqual(
    (await all(batch.results())).map(({ error }) => error?.code),
    ["canceled", "canceled"],
  );
  await batch.delete();
  await assert.rejects(owner.batch(batch.id), problem("gone"));
});

test("a batch may be lines of any kind, and needs a key", async () => {
  const lines = '{"mode": "text-to-audio", "prompt": "0", "id": "a"}\n{"mode": "text-to-audio", "prompt": "0"}\n';
  const bytes = new TextEncoder().encode(lines);
  async function* generated() {
    for (const id of ["a", undefined])
      yield/** @type {const} */ ({ mode: "text-to-audio", prompt: "0", ...(id && { id }) });
  }
  for (const source of [lines, bytes, bytes.buffer, new Blob([lines]), generated()]) {
    const ids = (await all((await owner.submitBatch(source)).results())).map(({ id }) => id);
    assert.deepEqual(ids, ["a", null]);
  }
  const options = { idempotencyKey: `batch-${Date.now()}` };
  assert.equal((await owner.submitBatch(lines, options)).id, (await owner.submitBatch(bytes, options)).id);
  await assert.rejects(owner.submitBatch(["0", { mode: "text-to-audio", prompt: "x", steps: 999 }]), (error) => {
    assert.ok(error instanceof RequestError && error.fields[0].field === "lines.2.steps");
    return true;
  });
  await assert.rejects(client.submitBatch(lines), problem("unauthorized"));
});

test("invalid fields are named", async () => {
  await assert.rejects(client.submit({ mode: "text-to-audio", prompt: "x", steps: 999 }), (error) => {
    assert.ok(error instanceof RequestError);
    assert.deepEqual(
      error.fields.map(({ field }) => field),
      ["steps"],
    );
    assert.ok(error.requestId);
    return true;
  });
});

test("a published clip has an address of its own", async () => {
  const clip = await client.run("0");
  const share = await clip.job.publish();
  assert.ok(!share.url.includes(clip.job.id));
});

test("the catalogue", async () => {
  assert.ok((await client.seeds()).length > 3);
  assert.ok(Array.isArray(await client.models()));
});

test("an id is not an address", async () => {
  for (const id of ["../seeds", "x/../../seeds", "?", "#"]) await assert.rejects(client.job(id), Problem);
});

test("a webhook of the server", async () => {
  const { body, headers, secret } = JSON.parse(String(process.env.WEBHOOK));
  assert.equal((await webhooks.unwrap(body, headers, secret)).type, "job.succeeded");
  await assert.rejects(webhooks.unwrap(`${body} `, headers, secret), problem("invalid_webhook", Problem));
});
