/**
 * The calls of the HTTP API that the pages make, by the client of `../client`.
 * @typedef {import("../client/schema.js").Job} Job
 * @typedef {Record<string, any>} Request  of `requests.js`, or of a file's recipe, which the server checks
 */

import { Client } from "../client/client.js";
import { Job as ApiJob } from "../client/job.js";
import { readBlob } from "../client/transport.js";
import { pause } from "../client/waiting.js";
import { apiKey } from "./api-key.js";
import { browserSecret } from "./browser-secret.js";
import { ownLink } from "./own-link.js";
import { Problem } from "./problem.js";

const SUBMIT_FOR_MS = 5000; // then the visitor is asked

/** With the visitor's credentials: the browser's secret, and the API key if there is one. Nothing but a submission is
 * repeated: the pages show at once what is wrong. */
const client = new Client({ url: location.origin, key: apiKey, secret: browserSecret, retryForMs: 0 });

/**
 * Fires "unauthorized" at the window, with the problem, when the visitor's credentials are refused, and "serverdown"
 * when there is no response or one of 500 and up.
 * @param {unknown} error  of a call
 * @returns {never}
 */
function report(error) {
  if (error instanceof Problem && error.code === "unauthorized") {
    dispatchEvent(new CustomEvent("unauthorized", { detail: error }));
  } else if (error instanceof Problem && (error.status === 0 || error.status >= 500)) {
    dispatchEvent(new Event("serverdown"));
  }
  throw error;
}

/** A job whose state isn't fetched. @param {string} id */
const known = (id) => new ApiJob(client.transport, /** @type {Job} */ ({ id }));

/** @param {number} seconds */
export const sleep = (seconds) => pause(seconds * 1000);

/** @param {Request} request */
const asked = (request) => /** @type {import("../client/schema.js").Request} */ (request);

/** Submits a request. A try without a response is repeated under the same key, so that nothing is accepted twice.
 * @param {Request} request @param {string} [key] @returns {Promise<Job>} @throws {Problem} */
export const submit = async (request, key) =>
  (await client.submit(asked(request), { idempotencyKey: key, retryForMs: SUBMIT_FOR_MS }).catch(report)).data;

/** All are accepted, or none.
 * @param {Request[]} requests @param {string} key @returns {Promise<Job[]>} @throws {Problem} */
export async function submitAll(requests, key) {
  const jobs = await client
    .submitMany(requests.map(asked), { idempotencyKey: key, retryForMs: SUBMIT_FOR_MS })
    .catch(report);
  return jobs.map(({ data }) => data);
}

/** @param {string} id @param {AbortSignal} [signal] @returns {Promise<Job>} */
export const getJob = async (id, signal) => (await client.job(id, { signal }).catch(report)).data;

/** A job's states, until it has ended or the server can't be reached.
 * @param {string} id @param {AbortSignal} [signal] @returns {AsyncGenerator<Job, void>} @throws {Problem} */
export async function* jobStates(id, signal) {
  try {
    for await (const { data } of client.events(id, { signal })) yield data;
  } catch (error) {
    report(error);
  }
}

/** @param {string} id @returns {Promise<unknown>} */
export const cancel = (id) => known(id).cancel().catch(report);

/** @param {string} id @returns {Promise<{id: string, url: string, listed: boolean}>} */
export const publish = (id) => known(id).publish().catch(report);

/** Lists a published clip in the gallery, or takes it out.
 * @param {string} id @param {boolean} listed @returns {Promise<{listed: boolean}>} */
export const setListing = (id, listed) =>
  client.transport.json(listed ? "POST" : "DELETE", `/jobs/${id}/listing`).catch(report);

/** Reports a published clip. No credentials are sent: a report needs none.
 * @param {string} shareId @param {string} reason @param {string} details @returns {Promise<void>} */
export const reportClip = (shareId, reason, details) =>
  client.transport.request("POST", `/clips/${shareId}/report`, async () => undefined, {
    anonymous: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ reason, details }),
  });

/** @param {Blob} blob @param {string} name @returns {Promise<{id: string}>} */
export const upload = async (blob, name) => ({ id: (await client.upload(blob, { name }).catch(report)).upload });

/** The picture of a job that is being made, a small WebP. @param {string} id @returns {Promise<Blob>} */
export const preview = (id) => client.transport.request("GET", `/jobs/${id}/preview`, readBlob);

/** A file behind a signed link. It may lead to another host, so no credentials are sent.
 * @param {string} url @returns {Promise<Blob>} */
export const download = (url) => client.transport.request("GET", ownLink(url), readBlob, { anonymous: true });

/** @param {string} path @returns {Promise<any>} */
export const getJson = (path) => client.transport.json("GET", path, { anonymous: true });
