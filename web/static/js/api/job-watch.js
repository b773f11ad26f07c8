/**
 * Follows a job until it ends, whatever happens to the server meanwhile.
 * @typedef {import("./http.js").Job} Job
 */

import { hasEnded } from "../client/follow.js";
import { RequestError } from "../client/problem.js";
import { jobStates, sleep } from "./http.js";
import { Problem } from "./problem.js";

export { hasEnded };

const [FIRST_WAIT_S, LONGEST_WAIT_S] = [1, 8];

/**
 * @param {string} id
 * @param {(job: Job) => void} onChange  called with every state, the last of them ended
 * @param {(problem: Problem) => void} [onProblem]  the server can't be reached or requires another key;
 *   the job still exists, and is followed further
 * @returns {Promise<Job>} the ended job
 * @throws {Problem} when the server no longer has the job
 */
export async function watchJob(id, onChange, onProblem) {
  for (let wait = FIRST_WAIT_S; ; ) {
    try {
      for await (const job of jobStates(id)) {
        wait = FIRST_WAIT_S;
        onChange(job);
        if (hasEnded(job)) return job;
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const unauthorized = error.code === "unauthorized";
      if (error instanceof RequestError && !unauthorized) throw error;
      onProblem?.(error);
      if (unauthorized) {
        await keyChange();
      } else {
        wait = Math.min(Math.max(wait * 2, error.retryAfter ?? 0), LONGEST_WAIT_S);
        await sleep(wait);
      }
    }
  }
}

const keyChange = () => new Promise((resolve) => addEventListener("keychange", resolve, { once: true }));
