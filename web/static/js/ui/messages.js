/** Errors and waits in words: what happened, and what to do about it. */

import { Problem } from "../api/http.js";
import { apiKey } from "../api/api-key.js";

/** @param {number} seconds */
export function span(seconds) {
  if (seconds < 1.5) return "a second";
  if (seconds < 90) return `${Math.round(seconds)} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}

const ORDINALS = ["next", "second", "third", "fourth", "fifth"];

/** Where a queued job stands.
 * @param {{position: number, eta_s: number | null} | null | undefined} queue */
export function placeInLine(queue) {
  if (!queue) return "Waiting for a free worker";
  const place = ORDINALS[queue.position] ?? `${queue.position + 1}th`;
  const line = `${place[0].toUpperCase()}${place.slice(1)} in line`;
  return queue.eta_s === null ? line : `${line}, about ${span(queue.eta_s)}`;
}

const LEFT = "That clip has left the server: clips are kept for a while only. Make it again from its recipe.";

/** What is gone for the moment.
 * @type {Record<string, string>} */
const AWAY = {
  offline: "The server can’t be reached.",
  store_unavailable: "The server has lost its job store (Redis) for the moment.",
  storage_unavailable: "The server can’t reach its file storage.",
};

/** @type {Record<string, (problem: Problem) => string>} */
const REFUSED = {
  offline: () => `${AWAY.offline} Check your connection, then try again.`,
  queue_full: ({ retryAfter }) =>
    `Every place in the queue is taken. Come back in ${span(retryAfter ?? 30)}; what you typed stays here.`,
  too_many_requests: ({ retryAfter }) =>
    `That is as much at once as one person may ask for. Try again in ${span(retryAfter ?? 10)}.`,
  unauthorized: () =>
    apiKey()
      ? "The server doesn’t know the API key in the studio’s settings: it was mistyped or revoked."
      : "This server makes clips only for those with an API key. The studio’s settings keep yours.",
  store_unavailable: () => `${AWAY.store_unavailable} Nothing is lost: try again in a few seconds.`,
  storage_unavailable: () => `${AWAY.storage_unavailable} Try again in a few seconds.`,
  unreadable_media: ({ message }) => `That file can’t be read: ${message}`,
  body_too_large: () => "That file is larger than this server takes.",
  unknown_reference: ({ message }) => message,
  gone: () => LEFT,
  not_found: () => LEFT,
  invalid_request: ({ fields, message }) =>
    fields.map(({ field, message: why }) => `${field.replaceAll("_", " ") || "The request"}: ${why}`).join("; ") ||
    message,
};

/** Why the server refused.
 * @param {unknown} error */
export function refusal(error) {
  if (!(error instanceof Problem)) return "Something in this page went wrong. Reload it; your clips are kept.";
  return (REFUSED[error.code] ?? (({ message }) => message))(error);
}

/** The same to someone who waits for what will be tried again by itself.
 * @param {unknown} error */
export function interruption(error) {
  const away = error instanceof Problem && AWAY[error.code];
  return away ? `${away} This goes on by itself when it is back.` : refusal(error);
}

/** What a recipe asks for that isn't here.
 * @param {string[]} names */
export const lacking = (names) =>
  names.length ? `This server doesn’t have ${names.join(", ")}, so it won’t sound quite the same.` : "";

/** What the server has to say about a clip that it made.
 * @param {import("../api/http.js").Job} job */
export const remarks = ({ warnings, degraded, request }) =>
  degraded ? [`The server was busy, so this is a sketch of ${request.steps} steps. Make it again later for more.`, ...warnings] : warnings;

/** @type {Record<string, string>} */
const FAILED = {
  worker_lost: "The worker stopped while making this clip, more than once. Try it again, perhaps with fewer steps.",
  deadline_exceeded: "This took longer than the server allows: no worker got to it, or it is too much work.",
  out_of_memory: "This clip needs more memory than the worker has. Make it shorter.",
  broken_picture: "The model’s numbers ran away on this one. Another seed, or less guidance, will do.",
};

export const CANCELED = "Canceled.";

/** Why a job ended without a clip.
 * @param {import("../api/http.js").Job} job */
export const failure = ({ status, error }) =>
  status === "canceled" || !error ? CANCELED : (FAILED[error.code] ?? `It didn’t work: ${error.detail}`);
