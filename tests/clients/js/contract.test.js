/** The client and the real API, whose address is in SERVER; only the model is left out. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, JobError, Problem, RequestError } from "../../../web/static/js/client/index.js";

const url = /** @type {string} */ (process.env.SERVER);
const client = new Client({ url, secret: "s".repeat(22) });

/** @param {string} code @param {any} [kind] */
const problem = (code, kind = RequestError) => (/** @type {any} */ error) =>
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
  const clip = await client.run("1", { onChange: ({ status }) => seen.push(status), timeoutMs: 60_000 });
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

test("many at once, listed page by page", async () => {
  const made = await client.submitMany(Array.from({ length: 16 }, (_, seed) => ({ mode: "text-to-audio", prompt: "0", seed })));
  for (const job of made) await job.wait();
  const more = await client.submitMany(Array.from({ length: 16 }, (_, n) => ({ mode: "text-to-audio", prompt: "0", seed: 50 + n })));
  await Promise.all(more.map((job) => job.wait({ timeoutMs: 60_000 })));
  const listed = (await all(client.jobs({ status: "succeeded" }))).map(({ id }) => id);
  assert.equal(new Set(listed).size, listed.length);
  for (const { id } of [...made, ...more]) assert.ok(listed.includes(id));
});

test("without a secret there is no list", async () => {
  await assert.rejects(all(new Client({ url }).jobs()), problem("unauthorized"));
});

test("events lead to the end, from anywhere", async () => {
  const job = await client.submit("2");
  const [states] = await Promise.all([all(client.events(job.id)), all(job.events())]);
  const steps = states.map(({ progress }) => progress?.step ?? 0);
  assert.ok(new Set(steps).size > 2);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
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
  const job = await client.submit("3");
  await assert.rejects(job.wait({ timeoutMs: 50 }), { name: "TimeoutError" });
  assert.equal((await job.wait({ timeoutMs: 60_000 })).job.status, "succeeded");
});

test("uploads are named, listed and deleted", async () => {
  const wav = tone();
  const upload = await client.upload(wav, { name: "tone.wav" });
  const listed = await all(client.uploads());
  assert.equal(listed.find(({ id }) => id === upload.upload)?.kind, "audio");
  const job = await client.submit({ mode: "audio-to-audio", clip: upload, prompt: "0" });
  await job.wait();
  await client.deleteUpload(upload);
  assert.ok(!(await all(client.uploads())).some(({ id }) => id === upload.upload));
  await assert.rejects(client.upload(new Blob(["nothing"])), problem("unreadable_media"));
});

test("invalid fields are named", async () => {
  await assert.rejects(client.submit({ mode: "text-to-audio", prompt: "x", steps: 999 }), (error) => {
    assert.ok(error instanceof RequestError);
    assert.deepEqual(error.fields.map(({ field }) => field), ["steps"]);
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

/** A tenth of a second of a square wave, as a WAV. */
function tone() {
  const samples = Int16Array.from({ length: 800 }, (_, n) => (n % 40 < 20 ? 4096 : -4096));
  const head = new DataView(new ArrayBuffer(44));
  const text = (/** @type {number} */ at, /** @type {string} */ word) =>
    [...word].forEach((letter, n) => head.setUint8(at + n, letter.charCodeAt(0)));
  for (const [at, word] of /** @type {[number, string][]} */ ([[0, "RIFF"], [8, "WAVE"], [12, "fmt "], [36, "data"]])) text(at, word);
  for (const [at, value] of [[4, 36 + samples.byteLength], [16, 16], [24, 8000], [28, 16000], [40, samples.byteLength]]) head.setUint32(at, value, true);
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) head.setUint16(at, value, true);
  return new Uint8Array([...new Uint8Array(head.buffer), ...new Uint8Array(samples.buffer)]);
}
