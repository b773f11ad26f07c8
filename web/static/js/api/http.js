/**
 * The calls of the HTTP API that the pages make.
 *
 * @typedef {object} Job  the body of `GET /jobs/<id>`
 * @property {string} id
 * @property {"queued" | "running" | "succeeded" | "failed" | "canceled"} status
 * @property {string} mode
 * @property {Record<string, any>} request  with the seed filled in
 * @property {{position: number, eta_s: number | null, paused?: boolean} | null} [queue]
 * @property {{step: number, total: number} | null} [progress]
 * @property {{url: string, number: number} | null} [preview]
 * @property {{image: {url: string}, audio: {url: string, duration_s: number, format: string}} | null} [result]
 * @property {{code: string, detail: string} | null} [error]
 * @property {string[]} warnings
 * @property {boolean} degraded
 */

import { apiKey } from "./api-key.js";
import { browserSecret } from "./browser-secret.js";
import { isTransient, Problem } from "./problem.js";

const MAX_ATTEMPTS = 3;

/** @param {Response} response @returns {Promise<any>} */
const json = (response) => response.json();

/**
 * One request, with no other credentials than its options have.
 * @template T
 * @param {string} path
 * @param {RequestInit} options
 * @param {(response: Response) => Promise<T> | T} read  takes the result from a response with a status below 400
 * @returns {Promise<T>}
 * @throws {Problem}
 */
export async function call(path, options, read) {
  let response;
  try {
    response = await fetch(path, options);
    if (response.ok || response.status === 304) return await read(response);
  } catch (error) {
    // A response that breaks off, for instance because the page is being closed, counts as none.
    if (options.signal?.aborted) throw error;
    throw new Problem(0, { code: "offline", detail: "The server can't be reached." });
  }
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const body = isJson ? await response.json().catch(() => ({})) : {};
  throw new Problem(response.status, body, Number(response.headers.get("Retry-After")) || null);
}

/**
 * `call` with the visitor's credentials: the browser's secret, and the API key if there is one. Fires "unauthorized" at
 * the window, with the problem, when they are refused, and "serverdown" when there is no response or one of 500 and up.
 * @template T
 * @param {string} path @param {RequestInit} options @param {(response: Response) => Promise<T> | T} read
 * @returns {Promise<T>}
 */
async function callAsVisitor(path, options, read) {
  const headers = new Headers(options.headers);
  const key = apiKey();
  if (key) headers.set("Authorization", `Bearer ${key}`);
  headers.set("Riffusion-Secret", browserSecret());
  try {
    return await call(path, { ...options, headers }, read);
  } catch (error) {
    if (error instanceof Problem && error.code === "unauthorized") {
      dispatchEvent(new CustomEvent("unauthorized", { detail: error }));
    } else if (error instanceof Problem && (error.status === 0 || error.status >= 500)) {
      dispatchEvent(new Event("serverdown"));
    }
    throw error;
  }
}

/** @param {number} seconds */
export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/**
 * Submits one request or several. An attempt without a response is repeated under the same key, so that no request is
 * accepted twice.
 * @param {Record<string, any> | Record<string, any>[]} body
 * @param {string} key
 */
async function post(body, key) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  for (let attempt = 1; ; attempt++) {
    try {
      return await callAsVisitor("/jobs", { method: "POST", headers, body: JSON.stringify(body) }, json);
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error;
      await sleep(Math.min(/** @type {Problem} */ (error).retryAfter ?? 1, 3));
    }
  }
}

/** @param {Record<string, any>} request @param {string} [key] @returns {Promise<Job>} @throws {Problem} */
export const submit = (request, key = crypto.randomUUID()) => post(request, key);

/** All are accepted, or none.
 * @param {Record<string, any>[]} requests @param {string} key @returns {Promise<Job[]>} @throws {Problem} */
export const submitAll = async (requests, key) => (await post(requests, key)).jobs;

/** @param {string} id @param {AbortSignal} [signal] @returns {Promise<Job>} */
export const getJob = (id, signal) => callAsVisitor(`/jobs/${id}`, { signal }, json);

/** A job's states from its event stream, until the stream ends or breaks off. An `EventSource` can't send a key.
 * @param {string} id @returns {AsyncGenerator<Job, void>} */
export async function* jobEvents(id) {
  let reader;
  try {
    const body = await callAsVisitor(`/jobs/${id}/events`, {}, (response) => response.body);
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
    // The caller polls next, and gets the reason from there.
  } finally {
    void reader?.cancel().catch(() => {});
  }
}

/** @param {string} id @returns {Promise<Job>} */
export const cancel = (id) => callAsVisitor(`/jobs/${id}/cancel`, { method: "POST", keepalive: true }, json);

/** @param {string} id @returns {Promise<{id: string, url: string, listed: boolean}>} */
export const publish = (id) => callAsVisitor(`/jobs/${id}/publish`, { method: "POST" }, json);

/** Lists a published clip in the gallery, or takes it out.
 * @param {string} id @param {boolean} listed @returns {Promise<{listed: boolean}>} */
export const setListing = (id, listed) =>
  callAsVisitor(`/jobs/${id}/listing`, { method: listed ? "POST" : "DELETE" }, json);

/** Reports a published clip. No credentials are sent: a report needs none.
 * @param {string} shareId @param {string} reason @param {string} details @returns {Promise<void>} */
export const reportClip = (shareId, reason, details) =>
  call(
    `/clips/${shareId}/report`,
    {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ reason, details }),
    },
    () => undefined,
  );

/** @param {Blob} blob @param {string} name @returns {Promise<{id: string}>} */
export function upload(blob, name) {
  const form = new FormData();
  form.append("file", blob, name);
  return callAsVisitor("/uploads", { method: "POST", body: form }, json);
}

/** The picture of a job that is being made, a small WebP. @param {string} id @returns {Promise<Blob>} */
export const preview = (id) => callAsVisitor(`/jobs/${id}/preview`, {}, (response) => response.blob());

/** A file behind a signed link. It may lead to another host, so no credentials are sent.
 * @param {string} url @returns {Promise<Blob>} */
export const download = (url) => call(url, {}, (response) => response.blob());

/** @param {string} path @returns {Promise<any>} */
export const getJson = (path) => call(path, {}, json);
