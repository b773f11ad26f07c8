/**
 * Submissions without a response yet. A page that is reloaded meanwhile sends them again under the same idempotency key,
 * and gets the jobs that were accepted.
 *
 * @typedef {object} Submission
 * @property {string} key  Idempotency-Key
 * @property {number} at   Unix ms
 * @property {any} body    a request, or several
 * @property {import("./clip-store.js").Provenance} provenance
 */

import { randomBits } from "../api/random-bits.js";

const NAME = "pending-submissions";
const KEPT_MS = 3_600_000;

/** @returns {Submission[]} */
const read = () => JSON.parse(localStorage.getItem(NAME) ?? "[]");

/** @param {Submission[]} submissions */
const write = (submissions) => localStorage.setItem(NAME, JSON.stringify(submissions));

/** @param {any} body @param {import("./clip-store.js").Provenance} provenance @returns {Submission} */
export function addSubmission(body, provenance) {
  const submission = { key: randomBits(), at: Date.now(), body, provenance };
  write([...read(), submission]);
  return submission;
}

/** @param {Submission} submission */
export const removeSubmission = (submission) => write(read().filter(({ key }) => key !== submission.key));

/** Those of the last hour. */
export const pendingSubmissions = () => read().filter(({ at }) => Date.now() - at < KEPT_MS);
