/** Messages for people: errors and what to do about them, waiting times, the state of a job. */

import { apiKey } from "../api/api-key.js";
import { Problem } from "../api/problem.js";

/** @param {number} seconds */
export function span(seconds) {
  if (seconds < 1.5) return "a second";
  if (seconds < 90) return `${Math.round(seconds)} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}

const ORDINALS = ["next", "second", "third", "fourth", "fifth"];

/** A queued job's place in the queue.
 * @param {{position: number, eta_s: number | null, paused?: boolean} | null | undefined} queue */
export function placeInLine(queue) {
  if (!queue) return "Waiting for its turn";
  const place = ORDINALS[queue.position] ?? `${queue.position + 1}th`;
  const line = `${place[0].toUpperCase()}${place.slice(1)} in line`;
  if (queue.paused) return `${line}; the server has paused this model`;
  return queue.eta_s === null ? line : `${line}, about ${span(queue.eta_s)}`;
}

/** What is said until a jam's first clip plays; in few steps, since a screen reader says each.
 * @param {import("../api/http.js").Job} job @param {number} seconds  for which it has been running */
export function firstBars({ status, queue, progress }, seconds) {
  if (status !== "running") return `Waiting for the server. The first bars: ${placeInLine(queue).toLowerCase()}.`;
  const { step = 0, total = 0 } = progress ?? {};
  if (!step)
    return seconds < 10 ? "Making the first bars." : "Making the first bars. The server is busy: this takes a while.";
  const left = (seconds / step) * (total - step);
  if (left < 5) return "Making the first bars: a few more seconds.";
  return `Making the first bars: about ${span(Math.ceil(left / 10) * 10)} more.`;
}

export const NO_SOUND =
  "Nothing can be heard: this browser finds no loudspeakers or headphones. Connect some, or choose others in the system’s settings.";

/** What becomes of what a clip begins with.
 * @param {"clip" | "beat" | "drawing" | "box"} source @param {number} strength  of the denoising, 0–1 */
export function sourceHint(source, strength) {
  if (source === "box") return "Drag a box, describe what should be there, press Repaint: the rest stays as it is.";
  const [, stays] = STAYS.find(([most]) => strength <= most) ?? STAYS[STAYS.length - 1];
  const percent = `${Math.round(strength * 100)} %`;
  return source === "drawing"
    ? `Press Play to hear the drawing as it is, or “Riff on it” to make music of it. At a denoising strength of ${percent}, ${stays}.`
    : `Denoising strength is how much of the ${source} is made new. At ${percent}, ${stays}.`;
}

/** @type {[number, string][]} */
const STAYS = [
  [0.3, "nearly all of it stays"],
  [0.55, "rhythm and notes stay, with another sound"],
  [0.8, "its rhythm stays, and the music is new"],
  [0.95, "hardly anything of it stays"],
  [1, "nothing of it stays"],
];

const DELETED =
  "That clip is no longer on the server: clips are kept for a limited time. Make it again from its recipe.";

/** What can't be reached for the moment.
 * @type {Record<string, string>} */
const UNREACHABLE = {
  offline: "The server can’t be reached.",
  store_unavailable: "The server can’t reach its list of clips.",
  storage_unavailable: "The server can’t reach its files.",
};

/** @type {Record<string, (problem: Problem) => string>} */
const REFUSED = {
  offline: () => `${UNREACHABLE.offline} Check your connection, then try again.`,
  queue_full: ({ retryAfter }) =>
    `Too many clips are waiting on this server. Try again in ${span(retryAfter ?? 30)}; what you typed stays here.`,
  too_many_requests: ({ retryAfter }) =>
    `You have reached this server’s limit for one person. Try again in ${span(retryAfter ?? 10)}.`,
  unauthorized: () =>
    apiKey()
      ? "The server doesn’t accept the API key in the studio’s settings: it was mistyped or revoked."
      : "This server makes clips only for those with an API key. Enter yours in the studio’s settings.",
  store_unavailable: () => `${UNREACHABLE.store_unavailable} Nothing is lost: try again in a few seconds.`,
  storage_unavailable: () => `${UNREACHABLE.storage_unavailable} Try again in a few seconds.`,
  unreadable_media: ({ message }) => `That file can’t be read: ${message}`,
  body_too_large: () => "That file is larger than this server accepts.",
  unknown_reference: ({ message }) => message,
  blocked: ({ message }) => message,
  result_lost: () => "The server has lost that clip’s files. Make it again from its recipe.",
  taken_down: ({ message }) => message,
  gone: () => DELETED,
  not_found: () => DELETED,
  invalid_request: ({ fields, message }) =>
    fields.map(({ field, message: why }) => `${field.replaceAll("_", " ") || "The request"}: ${why}`).join("; ") ||
    message,
};

/** The message for an error.
 * @param {unknown} error */
export function refusal(error) {
  if (!(error instanceof Problem)) return "This page has a bug. Reload it; your clips are kept.";
  return (REFUSED[error.code] ?? (({ message }) => message))(error);
}

/** The message for an error after which the page retries by itself.
 * @param {unknown} error */
export function interruption(error) {
  const unreachable = error instanceof Problem && UNREACHABLE[error.code];
  return unreachable ? `${unreachable} This continues by itself when it is back.` : refusal(error);
}

/** The message about models and LoRAs of a recipe that the server doesn't have.
 * @param {string[]} names */
export const missingNames = (names) =>
  names.length ? `This server doesn’t have ${names.join(", ")}, so it won’t sound quite the same.` : "";

/** The warnings about a clip.
 * @param {Pick<import("../api/http.js").Job, "warnings" | "degraded" | "request">} job */
export const remarks = ({ warnings, degraded, request }) => {
  const { steps } = /** @type {{steps?: number | null}} */ (request);
  const sketch = `The server was busy, so this is a quick sketch, of ${steps} steps. Make it again later for full quality.`;
  return degraded ? [sketch, ...warnings] : warnings;
};

/** @type {Record<string, string>} */
const FAILED = {
  worker_lost: "The machine that made this clip stopped, more than once. Try again, perhaps with fewer steps.",
  deadline_exceeded: "This took longer than the server allows: it is too busy, or the clip takes too long to make.",
  model_retired: "The server no longer has the model that this clip was for. Choose another in the settings.",
  out_of_memory: "This clip is too large for the server’s memory. Make it shorter.",
  broken_sound: "The sound came out broken. Try again, or another picture.",
  inaudible_sound: "Nothing in this can be heard: it is too quiet, too low or too high. Draw or play something else.",
  broken_picture: "The picture came out broken. Try another seed, or less guidance.",
};

export const CANCELED = "Canceled.";

/** Why a job ended without a clip.
 * @param {Pick<import("../api/http.js").Job, "status" | "error">} job */
export const failure = ({ status, error }) =>
  status === "canceled" || !error ? CANCELED : (FAILED[error.code] ?? `The clip couldn’t be made: ${error.detail}`);
