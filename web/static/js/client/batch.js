/**
 * A batch: its state, its end, its results one by one.
 *
 * @typedef {import("./transport.js").CallOptions} CallOptions
 * @typedef {CallOptions & {onChange?: (batch: Batch) => void}} WaitOptions  `onChange` is called with each new state
 */

import { follow, hasEnded } from "./follow.js";
import { Job } from "./job.js";
import { readLines } from "./json-lines.js";
import { JobError, Problem, UnavailableError } from "./problem.js";
import { Retries } from "./transport.js";
import { pause, Watchdog } from "./waiting.js";

/** What has become of one request of a batch, as of the moment in which the server sent it. */
export class BatchResult {
  /** @param {import("./transport.js").Transport} transport @param {import("./schema.js").BatchResult} data */
  constructor(transport, data) {
    /** The line as it came in. */
    this.data = data;
    /** Its job, once it has become one and until that expires or is deleted. */
    this.job = data.job && new Job(transport, data.job);
  }

  /** The request's number in the batch, from 1. */
  get line() {
    return this.data.line;
  }

  /** That the request was sent with. */
  get id() {
    return this.data.id;
  }

  /** "held" while it waits in the batch, then that of its job. */
  get status() {
    return this.data.status;
  }

  /** What it has made; null without a clip. */
  get clip() {
    return this.job?.clip ?? null;
  }

  /** Why there is no clip, or none any more; null while it hasn't ended and if there is one. A `JobError` has the job.
   * @returns {Problem | null} */
  get error() {
    const { job, error, status, line } = this.data;
    if (!error && status !== "canceled") return null;
    if (job) return new JobError(job);
    return new Problem(0, error ?? { code: "canceled", detail: `Line ${line} of the batch was canceled.` });
  }
}

export class Batch {
  /** @param {import("./transport.js").Transport} transport @param {import("./schema.js").Batch} data */
  constructor(transport, data) {
    /** @readonly */
    this.transport = transport;
    /** The latest known state, as `GET /batches/<id>` returns it. */
    this.data = data;
  }

  get id() {
    return this.data.id;
  }

  /** "running" until all of its requests have ended; then "completed", also if some failed, or "canceled". */
  get status() {
    return this.data.status;
  }

  /** How many of its requests are in each state. */
  get counts() {
    return this.data.counts;
  }

  /** Whether all of its requests have ended. */
  get ended() {
    return hasEnded(this.data);
  }

  /** Fetches its state again. @param {CallOptions} [options] @returns {Promise<this>}
   * @throws {Problem} "gone" or "not_found": the server no longer has it */
  async refresh(options) {
    this.data = await this.transport.json("GET", this.#path, options);
    return this;
  }

  /** Waits until all of its requests have ended, however they did. The batch goes on if this is aborted or takes too
   * long. @param {WaitOptions} [options] @returns {Promise<this>} @throws {Problem} */
  async wait({ onChange, ...options } = {}) {
    if (this.ended) return this;
    for await (const data of follow(this.transport, this.#path, options)) {
      this.data = data;
      onChange?.(this);
    }
    return this;
  }

  /** What has become of each request, in their order, one at a time; also before the batch has ended. A response that
   * breaks off is resumed where it was.
   * @param {CallOptions} [options] @returns {AsyncGenerator<BatchResult, void>} @throws {Problem} */
  async *results({ signal, timeoutMs, retryForMs } = {}) {
    const call = new Watchdog(timeoutMs, signal);
    const retries = new Retries(retryForMs ?? this.transport.retryForMs);
    const { total } = this.data;
    try {
      for (let seen = 0; seen < total; ) {
        try {
          let number = 0; // the server sends all of them each time
          for await (const data of this.transport.stream(`${this.#path}/results`, call.signal, readLines)) {
            if (++number <= seen) continue;
            seen = number;
            retries.reached();
            yield new BatchResult(this.transport, data);
          }
          if (seen < total) throw cutOff(number, total);
        } catch (error) {
          if (seen < total) await pause(retries.pauseMs(error), call.signal); // otherwise it broke off behind the last line
        }
      }
    } finally {
      call.end();
    }
  }

  /** Ends all of its requests that haven't ended; repeating that changes nothing.
   * @param {CallOptions} [options] @returns {Promise<this>} @throws {Problem} */
  async cancel(options) {
    this.data = await this.transport.json("POST", `${this.#path}/cancel`, { ...options, keepalive: true });
    return this;
  }

  /** Cancels what hasn't ended, and deletes it with all of its jobs and their files.
   * @param {CallOptions} [options] @returns {Promise<void>} @throws {Problem} */
  delete(options) {
    return this.transport.request("DELETE", this.#path, async () => {}, options);
  }

  get #path() {
    return `batches/${encodeURIComponent(this.id)}`;
  }
}

/** Some proxies end a body that broke off as if it were whole. @param {number} number @param {number} total */
const cutOff = (number, total) =>
  new UnavailableError(0, { code: "offline", detail: `The results ended after ${number} of ${total} lines.` });
