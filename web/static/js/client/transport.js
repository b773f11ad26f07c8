/**
 * HTTP with retries, time-outs and credentials.
 *
 * @typedef {object} CallOptions  of every call
 * @property {AbortSignal} [signal]  ends the call, which then throws the signal's reason
 * @property {number} [timeoutMs]  milliseconds for the whole call, retries included; then it throws a "TimeoutError"
 * @property {number} [retryForMs]  in place of the client's
 *
 * @typedef {object} Sent
 * @property {Record<string, string>} [headers]
 * @property {RequestInit["body"]} [body]
 * @property {boolean} [keepalive]  sent even if the page is closed meanwhile
 * @property {boolean} [anonymous]  without credentials
 * @property {number} [silenceMs]  milliseconds without a byte after which the connection counts as lost
 *
 * @typedef {{href: string, init: RequestInit}} Prepared
 *
 * @typedef {string | (() => string | null | undefined) | null | undefined} Credential  or what returns it at each call
 */

import { Problem, problemOf, UnavailableError } from "./problem.js";
import { Places, pause, Watchdog } from "./waiting.js";

/** Browsers open at most six connections to a host; two stay free to submit, cancel and download. */
const [MAX_STREAMS, MAX_POLLS] = [2, 2];
const STREAM_SILENCE_MS = 45_000; // the server sends a comment every 15 s
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 10_000];

/** Milliseconds before the next try: as the server asks, otherwise ever longer, and at random so that clients don't
 * return together.
 * @param {UnavailableError} problem @param {number} failures so far */
const pauseAfter = ({ retryAfter }, failures) =>
  retryAfter
    ? retryAfter * 1000
    : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS) * (1 - Math.random() / 2);

/** The pauses of something that goes on after failures, until it has been without a word from the server for a time. */
export class Retries {
  /** When the first try failed since the last word; null while none has.
   * @type {number | null} */
  #lostAt = null;
  #failures = 0; // since that word

  /** @param {number} forMs */
  constructor(forMs) {
    this.forMs = forMs;
  }

  /** The server has sent something. */
  reached() {
    [this.#lostAt, this.#failures] = [null, 0];
  }

  /** Milliseconds before the next try. @param {unknown} error @returns {number}
   * @throws the error, if another try is no use or would come too late */
  pauseMs(error) {
    if (!(error instanceof UnavailableError)) throw error;
    const wait = pauseAfter(error, ++this.#failures);
    this.#lostAt ??= Date.now();
    if (Date.now() + wait - this.#lostAt > this.forMs) throw error;
    return wait;
  }
}

/** The connections to one server, with one key or secret. */
export class Transport {
  streams = new Places(MAX_STREAMS);
  polls = new Places(MAX_POLLS);
  #options;
  #endUser = "";

  /** @param {import("./client.js").ClientOptions} options */
  constructor(options) {
    this.base = new URL(`${String(options.url).replace(/\/+$/, "")}/`);
    this.responseTimeoutMs = options.responseTimeoutMs ?? 30_000;
    this.retryForMs = options.retryForMs ?? 60_000;
    this.#options = options;
  }

  /** The same server and key, on behalf of one of the people whom the key's owner serves.
   * @param {string} endUser @returns {Transport} */
  forEndUser(endUser) {
    const other = new Transport(this.#options);
    [other.streams, other.polls, other.#endUser] = [this.streams, this.polls, endUser];
    return other;
  }

  /**
   * Sends a request until it has a response, for `retryForMs` at most.
   * @template T
   * @param {string} method
   * @param {string} path  relative to the server's address, or a whole address
   * @param {(response: Response, watchdog: Watchdog) => Promise<T>} read  takes the result from a response below 400
   * @param {Sent & CallOptions} [options]
   * @returns {Promise<T>}
   * @throws {Problem}
   */
  async request(method, path, read, { signal, timeoutMs, retryForMs = this.retryForMs, ...sent } = {}) {
    const call = new Watchdog(timeoutMs, signal);
    const deadline = Date.now() + retryForMs;
    try {
      const prepared = this.#prepare(method, path, sent);
      for (let failures = 1; ; failures++) {
        try {
          return await this.#attempt(prepared, call.signal, sent.silenceMs, read);
        } catch (error) {
          // What isn't there any more was deleted by an earlier attempt, whose response was lost.
          if (failures > 1 && method === "DELETE" && isMissing(error)) return /** @type {any} */ (undefined);
          if (!(error instanceof UnavailableError)) throw error;
          const wait = pauseAfter(error, failures);
          if (Date.now() + wait > deadline) throw error;
          await pause(wait, call.signal);
        }
      }
    } finally {
      call.end();
    }
  }

  /** A request whose response is JSON. @param {string} method @param {string} path
   * @param {Sent & CallOptions} [options] @returns {Promise<any>} @throws {Problem} */
  json(method, path, options) {
    return this.request(method, path, readJson, options);
  }

  /** The parts of one body as they come in, until it ends. The caller may take its time with each.
   * @template T
   * @param {string} path @param {AbortSignal} signal
   * @param {(body: ReadableStream<Uint8Array>, touch: () => void) => AsyncGenerator<T, void>} parse
   *   calls `touch` whenever something has come in
   * @param {Record<string, string>} [headers] @returns {AsyncGenerator<T, void>} @throws {Problem} */
  async *stream(path, signal, parse, headers) {
    const prepared = this.#prepare("GET", path, { headers });
    const watchdog = new Watchdog(this.responseTimeoutMs, signal);
    try {
      const { body } = await open(prepared, watchdog);
      watchdog.limitMs = STREAM_SILENCE_MS;
      if (!body) return;
      for await (const part of parse(body, () => watchdog.touch())) {
        watchdog.limitMs = Number.POSITIVE_INFINITY;
        yield part;
        watchdog.touch();
        watchdog.limitMs = STREAM_SILENCE_MS;
      }
    } catch (error) {
      throw lost(error, signal);
    } finally {
      watchdog.end();
    }
  }

  /** @template T @param {Prepared} prepared @param {AbortSignal} signal @param {number | undefined} silenceMs
   * @param {(response: Response, watchdog: Watchdog) => Promise<T>} read @returns {Promise<T>} */
  async #attempt(prepared, signal, silenceMs = this.responseTimeoutMs, read) {
    const watchdog = new Watchdog(silenceMs, signal);
    try {
      return await read(await open(prepared, watchdog), watchdog);
    } catch (error) {
      throw lost(error, signal);
    } finally {
      watchdog.end();
    }
  }

  /** @param {string} method @param {string} path @param {Sent} sent @returns {Prepared} */
  #prepare(method, path, { body, keepalive, anonymous = false, headers = {} }) {
    const { href, origin } = new URL(path, this.base);
    const own = !anonymous && origin === this.base.origin;
    const all = new Headers({ ...(own && this.#credentials()), ...headers });
    // Credentials must not follow to another host.
    return { href, init: { method, headers: all, body, keepalive, redirect: own ? "manual" : "follow" } };
  }

  #credentials() {
    const given = [this.#options.key, this.#options.secret];
    const [key, secret] = given.map((each) => (typeof each === "function" ? each() : each));
    return {
      ...(key && { Authorization: `Bearer ${key}` }),
      ...(secret && { "Riffusion-Secret": secret }),
      ...(this.#endUser && { "Riffusion-End-User": this.#endUser }),
    };
  }
}

/** A response below 400, once its head is there.
 * @param {Prepared} prepared @param {Watchdog} watchdog @returns {Promise<Response>} @throws {Problem} */
async function open({ href, init }, watchdog) {
  const response = await fetch(href, { ...init, signal: watchdog.signal });
  watchdog.touch();
  const { ok, status, type } = response;
  if (ok || status === 304) return response;
  if (type === "opaqueredirect" || status < 400) {
    const detail = `${new URL(href).origin} redirects to another address: use that one.`;
    throw new Problem(status, { code: "redirected", detail });
  }
  const isJson = response.headers.get("Content-Type")?.includes("json");
  throw problemOf(response, isJson ? await readJson(response, watchdog).catch(() => ({})) : {});
}

/** Whether the server has no such thing, or not any more. @param {unknown} error */
const isMissing = (error) => error instanceof Problem && [404, 410].includes(error.status);

/** What to throw for an error of a request: as it is if it is a problem or the caller's signal, or that the connection
 * was lost.
 * @param {any} error @param {AbortSignal} signal the caller's */
function lost(error, signal) {
  if (signal.aborted) return signal.reason;
  if (error instanceof Problem) return error;
  const why = error?.cause?.message ?? error?.message;
  return new UnavailableError(0, { code: "offline", detail: `The server can't be reached${why ? `: ${why}` : ""}.` });
}

/** A body that may take long, but not without a byte for long.
 * @param {Response} response @param {Watchdog} watchdog @returns {Promise<Blob>} */
export async function readBlob(response, watchdog) {
  const reader = response.body?.getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || !value) break;
    watchdog.touch();
    chunks.push(value);
  }
  return new Blob(chunks, { type: response.headers.get("Content-Type") ?? "" });
}

/** @param {Response} response @param {Watchdog} watchdog @returns {Promise<any>} */
export const readJson = async (response, watchdog) => JSON.parse(await (await readBlob(response, watchdog)).text());
