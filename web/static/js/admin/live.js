/**
 * Repeats a read while the page is visible, one at a time: again some seconds after a response, later and later while
 * there is none, and never sooner than the server asks for. Fires "current" with what was read, and "problem".
 */

import { Problem } from "../api/problem.js";

const MAX_S = 30;

/** Seconds until the next try.
 * @param {number} usual @param {number} failures in a row @param {number | null} asked by the server */
export const pause = (usual, failures, asked) => Math.max(Math.min(usual * 2 ** failures, MAX_S), asked ?? 0);

/** @template T */
export class Live extends EventTarget {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #failures = 0;
  #abort = new AbortController();

  /** @param {(signal: AbortSignal) => Promise<T>} read @param {number} seconds */
  constructor(read, seconds) {
    super();
    this.read = read;
    this.seconds = seconds;
    this.running = false;
    document.addEventListener("visibilitychange", () => this.running && this.refresh());
  }

  start() {
    this.running = true;
    this.#failures = 0;
    this.refresh();
  }

  stop() {
    this.running = false;
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  /** Reads at once, and drops a read that is under way: it may be of before what the operator has just done. */
  refresh() {
    this.#abort.abort();
    clearTimeout(this.#timer);
    if (this.running && !document.hidden) void this.#read();
  }

  async #read() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    let asked = null;
    try {
      const found = await this.read(signal);
      if (signal.aborted) return;
      this.#failures = 0;
      this.dispatchEvent(new CustomEvent("current", { detail: found }));
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      asked = error instanceof Problem ? error.retryAfter : null;
      this.dispatchEvent(new CustomEvent("problem", { detail: error }));
    }
    if (this.running) this.#timer = setTimeout(() => this.refresh(), pause(this.seconds, this.#failures, asked) * 1000);
  }
}
