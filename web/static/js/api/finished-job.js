/** Jobs that the page waits for and that aren't among the visitor's clips. */

import { failure } from "../ui/messages.js";
import { cancel, jobStates, submit } from "./http.js";
import { hasEnded } from "./job-watch.js";
import { Problem } from "./problem.js";

/**
 * Submits a request and waits for its result. The job is canceled on the server when `signal` is aborted.
 * @param {import("./http.js").Request} request
 * @param {AbortSignal} signal
 * @param {(job: import("./http.js").Job) => void} [progress]  called with each state
 * @returns {Promise<import("./http.js").Job & {result: {image: {url: string}, audio: {url: string}}}>}
 * @throws {Problem} it failed or was canceled, or the server refuses it
 */
export async function finishedJob(request, signal, progress) {
  let job = await submit(request);
  const { id } = job;
  const drop = () => void cancel(id).catch(() => {}); // it may have ended already
  if (signal.aborted) drop();
  signal.addEventListener("abort", drop);
  progress?.(job);
  if (!hasEnded(job)) {
    for await (job of jobStates(id, signal)) if (!hasEnded(job)) progress?.(job);
  }
  signal.removeEventListener("abort", drop);
  if (!job.result) throw new Problem(0, { code: job.error?.code ?? job.status, detail: failure(job) });
  return /** @type {any} */ (job);
}
