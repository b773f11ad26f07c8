/**
 * The calls of the operators' API.
 *
 * @typedef {object} ModelQueue
 * @property {string} name
 * @property {boolean} default
 * @property {"active" | "paused" | "draining"} state
 * @property {number} workers
 * @property {number} slots
 * @property {number} waiting
 * @property {number} running
 * @property {number} lost
 * @property {number | null} clears_in_s
 *
 * @typedef {object} HeldJob
 * @property {string} id
 * @property {string} client
 * @property {string} mode
 * @property {{step: number, total: number} | null} progress
 * @property {number} attempts
 * @property {string} started_at
 * @property {number} lease_left_s
 *
 * @typedef {object} Worker
 * @property {string} name
 * @property {string | null} model
 * @property {number} slots
 * @property {number | null} seen_s
 * @property {boolean} late
 * @property {string | null} alone
 * @property {HeldJob[]} jobs
 *
 * @typedef {object} Overview
 * @property {string} at
 * @property {{key: string, name: string}} operator
 * @property {ModelQueue[]} models
 * @property {Worker[]} workers
 * @property {string | null} next_cursor
 *
 * @typedef {object} OperatorJob
 * @property {string} id
 * @property {string} client
 * @property {"queued" | "running" | "succeeded" | "failed" | "canceled"} status
 * @property {string} mode
 * @property {string} model
 * @property {string} created_at
 * @property {string | null} started_at
 * @property {string | null} completed_at
 * @property {string | null} worker
 * @property {{step: number, total: number} | null} progress
 * @property {{position: number, eta_s: number | null, paused: boolean} | null} queue
 * @property {number} attempts
 * @property {number} requeues
 * @property {{code: string, detail: string} | null} error
 *
 * @typedef {{at: string, jobs: OperatorJob[], next_cursor: string | null}} JobPage
 *
 * @typedef {object} JobDetail
 * @property {string} at
 * @property {OperatorJob} job
 * @property {number} cost
 * @property {Record<string, any>} request
 * @property {boolean} degraded
 * @property {string[]} warnings
 * @property {{url: string, state: string, attempts: number, next_attempt_at: string | null, error: string | null} | null} webhook
 * @property {{at: string, event: string, detail: string}[]} timeline
 *
 * @typedef {{done: string[], refused: {id: string, code: string, detail: string}[], next_cursor: string | null}} Acted
 *
 * @typedef {object} AuditEntry
 * @property {string} id
 * @property {string} at
 * @property {string} actor
 * @property {string} action
 * @property {string} target
 * @property {Record<string, any>} details
 *
 * @typedef {object} Block
 * @property {string} client
 * @property {string} reason
 * @property {string} by
 * @property {string} at
 * @property {number | null} left_s
 *
 * @typedef {object} Holdings
 * @property {string} at
 * @property {string} client
 * @property {Record<string, number>} jobs
 * @property {number} uploads
 * @property {number} batches
 * @property {number} held of their requests, those that aren't jobs yet
 * @property {number} published
 * @property {number} stored_bytes
 * @property {number} request_bytes
 * @property {string | null} first_at
 * @property {Block | null} block
 *
 * @typedef {object} Clip
 * @property {string} id  of the share
 * @property {string} url
 * @property {string} job
 * @property {string} client
 * @property {string} title
 * @property {string} at
 * @property {boolean} listed
 * @property {string | null} takedown
 * @property {{count: number, reasons: Record<string, number>, details: string[]}} reports
 *
 * @typedef {{at: string, clips: Clip[], next_cursor: string | null}} ClipPage
 *
 * @typedef {{id: string, reason: string, by: string, at: string}} Takedown
 * @typedef {{at: string, takedowns: Takedown[], next_cursor: string | null}} TakedownPage
 *
 * @typedef {{at: string, entries: AuditEntry[], next_cursor: string | null}} AuditPage
 */

import { Transport } from "../client/transport.js";
import { operatorKey } from "./operator-key.js";

/** Nothing is repeated: the page shows at once what is wrong. */
const transport = new Transport({ url: location.origin, key: operatorKey, retryForMs: 0 });

/** @param {string} path @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
const get = (path, options) => transport.json("GET", `admin/api${path}`, options);

/** @param {string} path @param {Record<string, unknown>} body @returns {Promise<any>} */
const post = (path, body) =>
  transport.json("POST", `admin/api${path}`, {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

/** Leaves out what is empty.
 * @param {Record<string, string | number | null | undefined>} fields */
function query(fields) {
  const given = Object.entries(fields).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** @param {string | null} cursor @param {AbortSignal} [signal] @returns {Promise<Overview>} */
export const readOverview = (cursor, signal) => get(`/overview${query({ cursor })}`, { signal });

/** @param {Record<string, string | number | null>} fields @param {AbortSignal} [signal] @returns {Promise<JobPage>} */
export const findJobs = (fields, signal) => get(`/jobs${query(fields)}`, { signal });

/** @param {string} id @param {AbortSignal} [signal] @returns {Promise<JobDetail>} */
export const readJob = (id, signal) => get(`/jobs/${encodeURIComponent(id)}`, { signal });

/** @param {string | null} cursor @param {AbortSignal} [signal] @returns {Promise<AuditPage>} */
export const readAudit = (cursor, signal) => get(`/audit${query({ cursor, limit: 50 })}`, { signal });

/** @param {Record<string, unknown>} body @returns {Promise<Acted>} */
export const actOnJobs = (body) => post("/jobs", body);

/** @param {string} model @param {string} action @returns {Promise<{failed: number}>} */
export const actOnModel = (model, action) => post(`/models/${encodeURIComponent(model)}`, { action });

/** @param {AbortSignal} [signal] @returns {Promise<{at: string, blocks: Block[]}>} */
export const readBlocks = (signal) => get("/clients", { signal });

/** Reads all records of the server. @param {string} client @returns {Promise<Holdings>} */
export const readHoldings = (client) => get(`/clients/holdings${query({ client })}`);

/** @param {Record<string, unknown>} body @returns {Promise<{client: string}>} */
export const actOnClient = (body) => post("/clients", body);

/** @param {string} index @param {string | null} cursor @param {AbortSignal} [signal] @returns {Promise<ClipPage>} */
export const readClips = (index, cursor, signal) => get(`/clips${query({ index, cursor })}`, { signal });

/** @param {string | null} cursor @param {AbortSignal} [signal] @returns {Promise<TakedownPage>} */
export const readTakedowns = (cursor, signal) => get(`/takedowns${query({ cursor })}`, { signal });

/** @param {Record<string, unknown>} body @returns {Promise<{id: string}>} */
export const actOnClip = (body) => post("/clips", body);
