/**
 * Follows a job until it ends: by its event stream, or by polling where no stream is available.
 * @typedef {import("./http.js").Job} Job
 */

import { getJob, jobEvents, sleep } from "./http.js";
import { Problem } from "./problem.js";

/** Browsers open at most six connections to a host; some must stay free to submit and cancel. */
const MAX_STREAMS = 2;
const POLL_S = 1;
const LONGEST_POLL_S = 8;
let streams = 0;

/** @param {Job} job */
export const hasEnded = (job) => job.status !== "queued" && job.status !== "running";

/**
 * @param {string} id
 * @param {(job: Job) => void} onChange  called with every state, the last of them ended
 * @param {(problem: Problem) => void} [onProblem]  the server can't be reached or requires another key;
 *   the job still exists, and is followed further
 * @returns {Promise<Job>} the ended job
 * @throws {Problem} when the server no longer has the job
 */
export async function watchJob(id, onChange, onProblem) {
  if (streams < MAX_STREAMS) {
    streams++;
    try {
      for await (const job of jobEvents(id)) {
        onChange(job);
        if (hasEnded(job)) return job;
      }
    } finally {
      streams--;
    }
  }
  return poll(id, onChange, onProblem);
}

/** @param {string} id @param {(job: Job) => void} onChange @param {(problem: Problem) => void} [onProblem]
 * @returns {Promise<Job>} */
async function poll(id, onChange, onProblem) {
  for (let wait = POLL_S; ; ) {
    try {
      const job = await getJob(id);
      onChange(job);
      if (hasEnded(job)) return job;
      wait = POLL_S;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === "unauthorized") {
        onProblem?.(error);
        await new Promise((resolve) => addEventListener("keychange", resolve, { once: true }));
        continue;
      }
      if (error.status >= 400 && error.status < 500) throw error;
      onProblem?.(error);
      wait = Math.min(Math.max(wait * 2, error.retryAfter ?? 0), LONGEST_POLL_S);
    }
    await sleep(wait);
  }
}
