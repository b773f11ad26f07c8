/**
 * Follows a job or a batch until it ends: a job by its event stream while one of the few places for streams is free,
 * otherwise by polling as often as the server asks.
 *
 * @typedef {{status: string}} State  as `GET` of its path returns it
 */

import { UnavailableError } from "./problem.js";
import { serverSentEvents } from "./server-sent-events.js";
import { Retries, readJson } from "./transport.js";
import { pause, Watchdog } from "./waiting.js";

const RECONNECT_MS = 2000; // after a stream that the server ended, as its `retry` field says
const POLL_MS = 1000; // where the server doesn't say

/** @param {State} state */
export const hasEnded = ({ status }) => status !== "queued" && status !== "running";

/**
 * The states of what has this path, the last of them ended. A lost connection is resumed.
 * @param {import("./transport.js").Transport} transport
 * @param {string} path
 * @param {import("./transport.js").CallOptions & {events?: boolean}} [options]  `events`: the server streams them;
 *   `retryForMs` without a response end it
 * @returns {AsyncGenerator<any, void>}
 * @throws {import("./problem.js").Problem} the server no longer has it, or can't be reached for `retryForMs`
 */
export async function* follow(transport, path, { signal, timeoutMs, retryForMs, events = false } = {}) {
  const call = new Watchdog(timeoutMs, signal);
  const retries = new Retries(retryForMs ?? transport.retryForMs);
  const follower = new Follower(transport, path, events, call.signal, retries);
  try {
    for (;;) {
      let wait;
      try {
        for await (const state of follower.next()) {
          yield state;
          if (hasEnded(state)) return;
        }
        wait = follower.waitMs;
      } catch (error) {
        wait = retries.pauseMs(error);
      }
      await pause(wait, call.signal);
    }
  } finally {
    call.end();
  }
}

/** What is known of a job or a batch, and how to learn more. */
class Follower {
  waitMs = 0;
  #lastEvent = "";
  #tag = "";
  /** Whether streams get through: some proxies break them off. */
  #streams;
  /** Whether a stream broke off. A poll says what there is to know, and whether the server is there. */
  #broken = false;

  /** @param {import("./transport.js").Transport} transport @param {string} path @param {boolean} events
   * @param {AbortSignal} signal @param {Retries} retries */
  constructor(transport, path, events, signal, retries) {
    this.transport = transport;
    this.path = path;
    this.#streams = events;
    this.signal = signal;
    this.retries = retries;
  }

  /** The states of one stream or poll. @returns {AsyncGenerator<State, void>} @throws {UnavailableError} */
  next() {
    const tryStream = this.#streams && !this.#broken;
    this.#broken = false;
    return tryStream && this.transport.streams.tryEnter() ? this.#stream() : this.#poll();
  }

  /** @returns {AsyncGenerator<State, void>} */
  async *#stream() {
    /** @type {Record<string, string>} */
    const headers = this.#lastEvent ? { "Last-Event-ID": this.#lastEvent } : {};
    this.waitMs = RECONNECT_MS;
    let received = 0;
    try {
      const events = this.transport.stream(`${this.path}/events`, this.signal, serverSentEvents, headers);
      for await (const { id, data } of events) {
        received++;
        this.retries.reached();
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

  /** @returns {AsyncGenerator<State, void>} */
  async *#poll() {
    const { transport, signal } = this;
    await transport.polls.enter(signal);
    let state;
    try {
      /** @type {Record<string, string>} */
      const headers = this.#tag ? { "If-None-Match": this.#tag } : {};
      state = await transport.request("GET", this.path, this.#read, { headers, signal, retryForMs: 0 });
    } finally {
      transport.polls.leave();
    }
    if (state) yield state;
  }

  /** A poll's state; null if nothing has changed.
   * @param {Response} response @param {Watchdog} watchdog @returns {Promise<State | null>} */
  #read = async (response, watchdog) => {
    this.waitMs = Number(response.headers.get("Retry-After")) * 1000 || POLL_MS;
    const state = response.status === 304 ? null : await readJson(response, watchdog);
    if (state) this.#tag = response.headers.get("ETag") ?? "";
    this.retries.reached();
    return state;
  };
}
