/**
 * The client of one server.
 *
 * @typedef {import("./transport.js").CallOptions} CallOptions
 * @typedef {CallOptions & {idempotencyKey?: string}} SubmitOptions  the same key and request are the same job for 24 h,
 *   also after a restart of the program; left out, each call makes a new job
 * @typedef {import("./schema.js").Request | string} Asked  a request, or just a prompt
 * @typedef {string | (import("./schema.js").Request & {id?: string})} BatchRequest  with an id of one's own, if any
 * @typedef {Iterable<BatchRequest> | AsyncIterable<BatchRequest> | string | Blob | ArrayBuffer | Uint8Array} BatchSource
 *   requests; or JSON lines, as text or a file
 *
 * @typedef {object} ClientOptions
 * @property {string | URL} url  of the server
 * @property {import("./transport.js").Credential} [key]  an API key, where the server requires one
 * @property {import("./transport.js").Credential} [secret]  without a key: at least 128 random bits, in 22 to 128
 *   letters, digits, - and _; `jobs` lists what was submitted with the same secret
 * @property {number} [responseTimeoutMs]  milliseconds without a byte after which a connection counts as lost [30 000]
 * @property {number} [retryForMs]  milliseconds for which one call is repeated if it failed for lack of a connection, or
 *   with 429, 502, 503 or 504, no sooner than the server asks for [60 000]
 */

import { Batch } from "./batch.js";
import { follow } from "./follow.js";
import { Job } from "./job.js";
import { writeLines } from "./json-lines.js";
import { randomKey } from "./random-key.js";
import { Transport } from "./transport.js";
import { Watchdog } from "./waiting.js";

const UPLOAD_BYTES_PER_MS = 32; // less than that, and the server refuses it
const LINES_PER_MS = 0.1; // of a batch, that even a busy server checks

export class Client {
  /** @param {ClientOptions} options */
  constructor(options) {
    this.transport = new Transport(options);
  }

  /**
   * The same client on behalf of one of the people whom a program with one key serves, a bot for instance: limits and
   * fair queueing are then that person's, if the key is one for end users.
   * @param {string} endUser  visible ASCII that always means the same person
   */
  forEndUser(endUser) {
    const other = new Client({ url: this.transport.base });
    other.transport = this.transport.forEndUser(endUser);
    return other;
  }

  /**
   * Makes a clip: submits a request and waits for its job, which is canceled if this is aborted or takes too long.
   * @param {Asked} request
   * @param {SubmitOptions & import("./job.js").WaitOptions} [options]
   * @returns {Promise<import("./clip.js").Clip>}
   * @throws {import("./problem.js").Problem}
   */
  async run(request, { signal, timeoutMs, retryForMs, onChange, ...options } = {}) {
    const call = new Watchdog(timeoutMs, signal);
    // Not aborted: it might have been accepted all the same, and then nobody would know its job.
    const submitted = this.submit(request, { ...options, retryForMs });
    const cancel = () => void submitted.then((job) => job.cancel()).catch(() => {});
    call.signal.addEventListener("abort", cancel);
    try {
      const job = await Promise.race([submitted, aborted(call.signal)]);
      onChange?.(job);
      return await job.wait({ signal: call.signal, retryForMs, onChange });
    } finally {
      call.signal.removeEventListener("abort", cancel);
      call.end();
    }
  }

  /** Queues a job. Tries that fail are repeated under the same key, so that it is accepted once.
   * @param {Asked} request @param {SubmitOptions} [options] @returns {Promise<Job>}
   * @throws {import("./problem.js").Problem} */
  async submit(request, options) {
    return new Job(this.transport, await this.#post(typed(request), options));
  }

  /** Queues up to 16 jobs: all of them or none.
   * @param {Asked[]} requests @param {SubmitOptions} [options] @returns {Promise<Job[]>}
   * @throws {import("./problem.js").Problem} */
  async submitMany(requests, options) {
    const { jobs } = await this.#post(requests.map(typed), options);
    return jobs.map((/** @type {import("./schema.js").Job} */ job) => new Job(this.transport, job));
  }

  /** A job submitted before. @param {string} id @param {CallOptions} [options] @returns {Promise<Job>}
   * @throws {import("./problem.js").Problem} "not_found" or "gone": the server has no such job, or not any more */
  async job(id, options) {
    return new Job(this.transport, await this.transport.json("GET", `jobs/${encodeURIComponent(id)}`, options));
  }

  /** The states of a job submitted before, until it has ended. A lost connection is resumed.
   * @param {string} id @param {CallOptions} [options] @returns {AsyncGenerator<Job, void>}
   * @throws {import("./problem.js").Problem} */
  async *events(id, options) {
    const path = `jobs/${encodeURIComponent(id)}`;
    for await (const data of follow(this.transport, path, { ...options, events: true })) {
      yield new Job(this.transport, data);
    }
  }

  /** The caller's jobs, newest first. Needs a key or a secret.
   * @param {{status?: import("./schema.js").JobStatus} & CallOptions} [options] @returns {AsyncGenerator<Job, void>}
   * @throws {import("./problem.js").Problem} */
  async *jobs({ status, ...options } = {}) {
    const query = /** @type {Record<string, string>} */ (status ? { status } : {});
    for await (const data of this.#pages("jobs", query, options)) yield new Job(this.transport, data);
  }

  /** Hands over up to 10,000 requests, all of them or none; they become jobs as the server's queue has places. Needs a
   * key.
   * @param {BatchSource} requests @param {SubmitOptions} [options] @returns {Promise<Batch>}
   * @throws {import("./problem.js").Problem} `fields` names the invalid ones, such as `lines.17.prompt` */
  async submitBatch(requests, { idempotencyKey, ...options } = {}) {
    const { body, count } = await writeLines(requests, typed);
    const headers = { "Content-Type": "application/jsonl", "Idempotency-Key": idempotencyKey ?? (await randomKey()) };
    const silenceMs = this.transport.responseTimeoutMs + body.size / UPLOAD_BYTES_PER_MS + count / LINES_PER_MS;
    const sent = { ...options, headers, body, silenceMs };
    return new Batch(this.transport, await this.transport.json("POST", "batches", sent));
  }

  /** A batch submitted before. @param {string} id @param {CallOptions} [options] @returns {Promise<Batch>}
   * @throws {import("./problem.js").Problem} "not_found" or "gone": the server has no such batch, or not any more */
  async batch(id, options) {
    return new Batch(this.transport, await this.transport.json("GET", `batches/${encodeURIComponent(id)}`, options));
  }

  /** The caller's batches that are still kept, newest first. Needs a key.
   * @param {CallOptions} [options] @returns {AsyncGenerator<Batch, void>} @throws {import("./problem.js").Problem} */
  async *batches(options) {
    for await (const data of this.#pages("batches", {}, options)) yield new Batch(this.transport, data);
  }

  /** Sends a picture or a sound, and returns the reference by which requests name it.
   * @param {Blob | ArrayBuffer | Uint8Array} file
   * @param {{name?: string} & CallOptions} [options] @returns {Promise<import("./schema.js").Upload>}
   * @throws {import("./problem.js").Problem} */
  async upload(file, { name, ...options } = {}) {
    const blob = file instanceof Blob ? file : new Blob([/** @type {BlobPart} */ (file)]);
    const body = new FormData();
    body.append("file", blob, name ?? /** @type {{name?: string}} */ (file).name ?? "file");
    const silenceMs = this.transport.responseTimeoutMs + blob.size / UPLOAD_BYTES_PER_MS;
    return { upload: (await this.transport.json("POST", "uploads", { ...options, body, silenceMs })).id };
  }

  /** The caller's uploads that are still kept, newest first. Needs a key or a secret.
   * @param {CallOptions} [options] @returns {AsyncGenerator<import("./schema.js").UploadedFile, void>}
   * @throws {import("./problem.js").Problem} */
  uploads(options) {
    return this.#pages("uploads", {}, options);
  }

  /** Deletes an upload. Jobs that were submitted with it are made all the same.
   * @param {import("./schema.js").Upload | string} upload  its reference or id @param {CallOptions} [options]
   * @returns {Promise<void>} @throws {import("./problem.js").Problem} */
  deleteUpload(upload, options) {
    const id = typeof upload === "string" ? upload : upload.upload;
    return this.transport.request("DELETE", `uploads/${encodeURIComponent(id)}`, async () => {}, options);
  }

  /** The built-in seed images. @param {CallOptions} [options]
   * @returns {Promise<import("./schema.js").SeedPicture[]>} @throws {import("./problem.js").Problem} */
  async seeds(options) {
    return (await this.transport.json("GET", "seeds", options)).seeds;
  }

  /** The models that have a worker now. @param {CallOptions} [options]
   * @returns {Promise<import("./schema.js").ModelEntry[]>} @throws {import("./problem.js").Problem} */
  async models(options) {
    return (await this.transport.json("GET", "models", options)).models;
  }

  /** @param {unknown} requests @param {SubmitOptions} [options] @returns {Promise<any>} */
  async #post(requests, { idempotencyKey, ...options } = {}) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey ?? (await randomKey()) };
    return this.transport.json("POST", "jobs", { ...options, headers, body: JSON.stringify(requests) });
  }

  /** The items of a list, which has the name of its address.
   * @param {string} name @param {Record<string, string>} query @param {CallOptions} [options]
   * @returns {AsyncGenerator<any, void>} */
  async *#pages(name, query, options) {
    for (let cursor = ""; ; ) {
      const fields = String(new URLSearchParams({ ...query, ...(cursor && { cursor }) }));
      const page = await this.transport.json("GET", fields ? `${name}?${fields}` : name, options);
      yield* page[name];
      cursor = page.next_cursor;
      if (!cursor) return;
    }
  }
}

/** @param {Asked} request */
const typed = (request) => (typeof request === "string" ? { mode: "text-to-audio", prompt: request } : request);

/** @param {AbortSignal} signal @returns {Promise<never>} */
const aborted = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
