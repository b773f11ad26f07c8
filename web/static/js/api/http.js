/**
 * The HTTP API, as this page uses it.
 *
 * @typedef {object} Job  the body of `GET /jobs/<id>`
 * @property {string} id
 * @property {"queued" | "running" | "succeeded" | "failed" | "canceled"} status
 * @property {string} mode
 * @property {Record<string, any>} request  with the seed filled in
 * @property {{position: number, eta_s: number | null} | null} [queue]
 * @property {{step: number, total: number} | null} [progress]
 * @property {{image: {url: string}, audio: {url: string, duration_s: number, format: string}} | null} [result]
 * @property {{code: string, detail: string} | null} [error]
 * @property {string[]} warnings
 * @property {boolean} degraded
 */

import { apiKey } from "./api-key.js";
import { secret } from "./browser-secret.js";

const RETRIES = 3;

/** What the API answers when it refuses (RFC 9457), or code "offline" when nothing answers at all. */
export class Problem extends Error {
  /** @param {number} status @param {any} body @param {number | null} retryAfter seconds */
  constructor(status, body, retryAfter = null) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.status = status;
    /** @type {string} */
    this.code = body.code ?? "internal";
    /** @type {{field: string, message: string}[]} */
    this.fields = body.errors ?? body.fields ?? [];
    this.retryAfter = retryAfter;
  }
}

/** @param {Response} response @returns {Promise<any>} */
const json = (response) => response.json();

/**
 * @template T
 * @param {string} path
 * @param {RequestInit} options
 * @param {(response: Response) => Promise<T> | T} read  what to take from an answer with a status below 400
 * @returns {Promise<T>}
 * @throws {Problem}
 */
async function call(path, options, read) {
  let response;
  try {
    response = await fetch(path, options);
    if (response.ok || response.status === 304) return await read(response);
  } catch (error) {
    // An answer that breaks off, as when the page is being left, says no more than none.
    if (options.signal?.aborted) throw error;
    throw new Problem(0, { code: "offline", detail: "The server can't be reached." });
  }
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const body = isJson ? await response.json().catch(() => ({})) : {};
  throw new Problem(response.status, body, Number(response.headers.get("Retry-After")) || null);
}

/**
 * The same on the visitor's behalf, with their key if they have one, and with their secret. A refusal of it also fires "unauthorized" at the
 * window, with the problem; a server that doesn't answer, or not as it should, fires "away".
 * @template T
 * @param {string} path @param {RequestInit} options @param {(response: Response) => Promise<T> | T} read
 * @returns {Promise<T>}
 */
async function ask(path, options, read) {
  const headers = new Headers(options.headers);
  const key = apiKey();
  if (key) headers.set("Authorization", `Bearer ${key}`);
  headers.set("Riffusion-Secret", secret());
  try {
    return await call(path, { ...options, headers }, read);
  } catch (error) {
    if (error instanceof Problem && error.code === "unauthorized")
      dispatchEvent(new CustomEvent("unauthorized", { detail: error }));
    else if (error instanceof Problem && (error.status === 0 || error.status >= 500)) dispatchEvent(new Event("away"));
    throw error;
  }
}

/** @param {number} seconds */
export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Whether trying again soon may help: nothing answered, or Redis or the storage didn't.
 * @param {unknown} error */
export const passing = (error) =>
  error instanceof Problem && ["offline", "store_unavailable", "storage_unavailable"].includes(error.code);

/**
 * Sends one request or several. A try that got no answer is repeated under the same key, so that it can't be accepted
 * twice.
 * @param {Record<string, any> | Record<string, any>[]} body
 * @param {string} key
 */
async function post(body, key) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask("/jobs", { method: "POST", headers, body: JSON.stringify(body) }, json);
    } catch (error) {
      if (attempt >= RETRIES || !passing(error)) throw error;
      await pause(Math.min(/** @type {Problem} */ (error).retryAfter ?? 1, 3));
    }
  }
}

/** @param {Record<string, any>} request @param {string} [key] @returns {Promise<Job>} @throws {Problem} */
export const submit = (request, key = crypto.randomUUID()) => post(request, key);

/** All are accepted, or none.
 * @param {Record<string, any>[]} requests @param {string} key @returns {Promise<Job[]>} @throws {Problem} */
export const submitAll = async (requests, key) => (await post(requests, key)).jobs;

/** @param {string} id @param {AbortSignal} [signal] @returns {Promise<Job>} */
export const getJob = (id, signal) => ask(`/jobs/${id}`, { signal }, json);

/** A job's states as its event stream tells them, until the stream ends or breaks off. Not an `EventSource`, which can't
 * send a key.
 * @param {string} id @returns {AsyncGenerator<Job, void>} */
export async function* follow(id) {
  let reader;
  try {
    const body = await ask(`/jobs/${id}/events`, {}, (response) => response.body);
    reader = /** @type {ReadableStream<BufferSource>} */ (body).pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (text + value).split("\n\n");
      text = /** @type {string} */ (events.pop());
      for (const event of events) {
        const data = event.match(/^data: (.*)$/m)?.[1];
        if (data) yield JSON.parse(data);
      }
    }
  } catch {
    // Whoever asks for the job now learns why.
  } finally {
    void reader?.cancel().catch(() => {});
  }
}

/** @param {string} id @returns {Promise<Job>} */
export const cancel = (id) => ask(`/jobs/${id}/cancel`, { method: "POST", keepalive: true }, json);

/** @param {string} id @returns {Promise<{id: string, url: string}>} */
export const publish = (id) => ask(`/jobs/${id}/publish`, { method: "POST" }, json);

/** @param {Blob} blob @param {string} name @returns {Promise<{id: string}>} */
export function upload(blob, name) {
  const form = new FormData();
  form.append("file", blob, name);
  return ask("/uploads", { method: "POST", body: form }, json);
}

/** A file behind a link, which says by itself that it may be had: no key goes there, to whatever host it leads.
 * @param {string} url @returns {Promise<Blob>} */
export const download = (url) => call(url, {}, (response) => response.blob());

/** @param {string} path @returns {Promise<any>} */
export const getJson = (path) => call(path, {}, json);
