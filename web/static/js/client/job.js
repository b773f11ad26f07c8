/**
 * A job: its state, its end, its files.
 *
 * @typedef {import("./transport.js").CallOptions} CallOptions
 * @typedef {CallOptions & {onChange?: (job: Job) => void}} WaitOptions  `onChange` is called with each new state
 */

import { Clip, RemoteFile } from "./clip.js";
import { follow, hasEnded } from "./follow.js";
import { JobError } from "./problem.js";

export class Job {
  /** @param {import("./transport.js").Transport} transport @param {import("./schema.js").Job} data */
  constructor(transport, data) {
    /** @readonly */
    this.transport = transport;
    /** The latest known state, as `GET /jobs/<id>` returns it. */
    this.data = data;
  }

  /** Without a key, anyone who has it may see, cancel and delete the job. */
  get id() {
    return this.data.id;
  }

  get status() {
    return this.data.status;
  }

  /** Whether it has succeeded, failed or been canceled. */
  get ended() {
    return hasEnded(this.data);
  }

  /** Its place in the queue, while it waits. */
  get queue() {
    return this.data.queue;
  }

  /** How far it is, once it has started. */
  get progress() {
    return this.data.progress;
  }

  /** The picture as it emerges, a small grey WebP; null while there is none. `info.number` rises with each new one.
   * @returns {RemoteFile<import("./schema.js").Preview> | null} */
  get preview() {
    const { preview } = this.data;
    const url = new URL(`${this.#path}/preview`, this.transport.base).href;
    return preview && new RemoteFile(this.transport, () => ({ ...preview, url }), { anonymous: false });
  }

  /** What it has made; null until it has succeeded. */
  get clip() {
    return this.data.result && new Clip(this);
  }

  /** Fetches its state again. @param {CallOptions} [options] @returns {Promise<this>}
   * @throws {import("./problem.js").Problem} "gone" or "not_found": the server no longer has it */
  async refresh(options) {
    this.data = await this.transport.json("GET", this.#path, options);
    return this;
  }

  /** This job after each change, until it has ended. A lost connection is resumed.
   * @param {CallOptions} [options] @returns {AsyncGenerator<this, void>} @throws {import("./problem.js").Problem} */
  async *events(options) {
    if (this.ended) yield this;
    else {
      for await (const data of follow(this.transport, this.#path, { ...options, events: true })) {
        this.data = data;
        yield this;
      }
    }
  }

  /** Waits until it has succeeded. The job itself goes on if this is aborted or takes too long.
   * @param {WaitOptions} [options] @returns {Promise<Clip>} @throws {JobError} it failed or was canceled
   * @throws {import("./problem.js").Problem} */
  async wait({ onChange, ...options } = {}) {
    for await (const job of this.events(options)) onChange?.(job);
    if (!this.clip) throw new JobError(this.data);
    return this.clip;
  }

  /** Cancels it if it hasn't ended; repeating that changes nothing.
   * @param {CallOptions} [options] @returns {Promise<this>} @throws {import("./problem.js").Problem} */
  async cancel(options) {
    this.data = await this.transport.json("POST", `${this.#path}/cancel`, { ...options, keepalive: true });
    return this;
  }

  /** Cancels it if it hasn't ended, and deletes its record and files.
   * @param {CallOptions} [options] @returns {Promise<void>} @throws {import("./problem.js").Problem} */
  delete(options) {
    return this.transport.request("DELETE", this.#path, async () => {}, options);
  }

  /** Shows its clip to everyone, at an address that doesn't contain the job's id.
   * @param {CallOptions} [options] @returns {Promise<import("./schema.js").Share>}
   * @throws {import("./problem.js").Problem} */
  publish(options) {
    return this.transport.json("POST", `${this.#path}/publish`, options);
  }

  get #path() {
    return `jobs/${encodeURIComponent(this.id)}`;
  }
}
