/**
 * Follows a job until it ends: by its event stream while one of the few places for streams is free, otherwise by
 * polling as often as the server asks.
 *
 * @typedef {import("./schema.js").Job} JobState
 */

import { UnavailableError } from "./problem.js";
import { pauseAfter, readJson } from "./transport.js";
import { pause, Watchdog } from "./waiting.js";

const RECONNECT_MS = 2000; // after a stream that the server ended, as its `retry` field says
const POLL_MS = 1000; // where the server doesn't say

/** @param {JobState} job */
export const hasEnded = ({ status }) => status !== "queued" && status !== "running";

/**
 * A job's states, the last of them ended. A lost connection is resumed.
 * @param {import("./transport.js").Transport} transport
 * @param {string} id
 * @param {import("./transport.js").CallOptions} [options]  `retryForMs` without a response end it
 * @returns {AsyncGenerator<JobState, void>}
 * @throws {import("./problem.js").Problem} the server no longer has the job, or can't be reached for `retryForMs`
 */
export async function* follow(transport, id, { signal, timeoutMs, retryForMs = transport.retryForMs } = {}) {
  const call = new Watchdog(timeoutMs, signal);
  const follower = new Follower(transport, id, call.signal);
  try {
    for (;;) {
      let wait;
      try {
        for await (const job of follower.next()) {
          yield job;
          if (hasEnded(job)) return;
        }
        wait = follower.waitMs;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        wait = pauseAfter(error, ++follower.failures);
        follower.lostAt ??= Date.now();
        if (Date.now() + wait - follower.lostAt > retryForMs) throw error;
      }
      await pause(wait, call.signal);
    }
  } finally {
    call.end();
  }
}

/** What is known of a job, and how to learn more. */
class Follower {
  waitMs = 0;
  /** When the first try failed since the last word from the server; null while none has.
   * @type {number | null} */
  lostAt = null;
  failures = 0; // since that word
  #lastEvent = "";
  #tag = "";
  /** Whether streams get through: some proxies break them off. */
  #streams = true;
  /** Whether a stream broke off. A poll says what there is to know, and whether the server is there. */
  #broken = false;

  /** @param {import("./transport.js").Transport} transport @param {string} id @param {AbortSignal} signal */
  constructor(transport, id, signal) {
    this.transport = transport;
    this.id = encodeURIComponent(id);
    this.signal = signal;
  }

  /** The states of one stream or poll. @returns {AsyncGenerator<JobState, void>} @throws {UnavailableError} */
  next() {
    const tryStream = this.#streams && !this.#broken;
    this.#broken = false;
    return tryStream && this.transport.streams.tryEnter() ? this.#stream() : this.#poll();
  }

  /** @returns {AsyncGenerator<JobState, void>} */
  async *#stream() {
    /** @type {Record<string, string>} */
    const headers = this.#lastEvent ? { "Last-Event-ID": this.#lastEvent } : {};
    this.waitMs = RECONNECT_MS;
    let received = 0;
    try {
      for await (const { id, data } of this.transport.stream(`jobs/${this.id}/events`, this.signal, headers)) {
        received++;
        this.#reached();
        this.#lastEvent = id;
        yield JSON.parse(data);
      }
      this.#broken = received === 0; // nothing new; or what came was no stream, but the page of a proxy
    } catch (error) {
      if (!(error instanceof UnavailableError && error.code === "offline")) throw error;
      this.#streams = received > 0;
      this.#broken = true;
      this.waitMs = 0;
    } finally {
      this.transport.streams.leave();
    }
  }

  /** @returns {AsyncGenerator<JobState, void>} */
  async *#poll() {
    const { transport, signal } = this;
    await transport.polls.enter(signal);
    let job;
    try {
      /** @type {Record<string, string>} */
      const headers = this.#tag ? { "If-None-Match": this.#tag } : {};
      job = await transport.request("GET", `jobs/${this.id}`, this.#read, { headers, signal, retryForMs: 0 });
    } finally {
      transport.polls.leave();
    }
    if (job) yield job;
  }

  /** A poll's job; null if nothing has changed.
   * @param {Response} response @param {Watchdog} watchdog @returns {Promise<JobState | null>} */
  #read = async (response, watchdog) => {
    this.waitMs = Number(response.headers.get("Retry-After")) * 1000 || POLL_MS;
    const job = response.status === 304 ? null : await readJson(response, watchdog);
    if (job) this.#tag = response.headers.get("ETag") ?? "";
    this.#reached();
    return job;
  };

  #reached() {
    [this.lostAt, this.failures] = [null, 0];
  }
}
