/**
 * Follows a job until it ends: by its event stream, or by polling where there is none to be had.
 * @typedef {import("./api.js").Job} Job
 */

import { Problem, getJob, pause } from "./api.js";

/** Browsers open six connections to a host at most; streams may not take those that submit and cancel. */
const MAX_STREAMS = 2;
const POLL_S = 1;
const LONGEST_POLL_S = 8;
let streams = 0;

/** @param {Job} job */
export const ended = (job) => job.status !== "queued" && job.status !== "running";

/**
 * @param {string} id
 * @param {(job: Job) => void} onChange  called with every state seen, the last one ended
 * @param {{signal?: AbortSignal, onProblem?: (problem: Problem) => void}} [options]  onProblem: the server is away, but
 *   the job is not lost and the watch goes on
 * @returns {Promise<Job>} the ended job
 * @throws {Problem} when the server no longer knows the job
 */
export async function watch(id, onChange, { signal, onProblem } = {}) {
  if (streams < MAX_STREAMS) {
    streams++;
    const last = await stream(id, onChange, signal).finally(() => streams--);
    if (last) return last;
  }
  return poll(id, onChange, signal, onProblem);
}

/** @param {string} id @param {(job: Job) => void} onChange @param {AbortSignal} [signal]
 * @returns {Promise<Job | null>} the ended job, or null when the stream broke off */
function stream(id, onChange, signal) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/jobs/${id}/events`);
    const stop = (/** @type {Job | null} */ job) => {
      source.close();
      resolve(job);
    };
    source.addEventListener("job", ({ data }) => {
      const job = JSON.parse(data);
      onChange(job);
      if (ended(job)) stop(job);
    });
    source.onerror = () => stop(null);
    signal?.addEventListener("abort", () => {
      source.close();
      reject(signal.reason);
    });
  });
}

/** @param {string} id @param {(job: Job) => void} onChange @param {AbortSignal} [signal]
 * @param {(problem: Problem) => void} [onProblem] @returns {Promise<Job>} */
async function poll(id, onChange, signal, onProblem) {
  for (let wait = POLL_S; ;) {
    signal?.throwIfAborted();
    try {
      const job = await getJob(id, signal);
      onChange(job);
      if (ended(job)) return job;
      wait = POLL_S;
    } catch (error) {
      if (!(error instanceof Problem) || (error.status >= 400 && error.status < 500)) throw error;
      onProblem?.(error);
      wait = Math.min(Math.max(wait * 2, error.retryAfter ?? 0), LONGEST_POLL_S);
    }
    await pause(wait);
  }
}
