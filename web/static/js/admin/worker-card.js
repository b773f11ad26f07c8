/** One worker: its heartbeat, its slots, and the jobs that it holds. */

import { make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { duration, secondsBetween, shortId } from "./format.js";
import { jobHash, jobsHash } from "./route.js";
import { setText } from "./table.js";

/** @typedef {import("./operator-api.js").Worker} Worker */
/** @typedef {import("./operator-api.js").HeldJob} HeldJob */

/** @param {Worker} worker */
export function makeWorker({ name }) {
  const head = make(
    "div",
    { class: "worker-head" },
    make("h3", {}, name),
    make("span", { class: "quiet model" }),
    make("span", { class: "beat" }),
    make("span", { class: "held" }),
  );
  return make(
    "li",
    { class: "worker" },
    head,
    make("p", { class: "alone trouble" }),
    make("ol", { class: "lanes", "aria-label": `Jobs of ${name}` }),
  );
}

/** @param {any} card @param {Worker} worker @param {string} at */
export function updateWorker(card, worker, at) {
  const [head, alone, lanes] = card.children;
  const [, model, beat, held] = head.children;
  card.classList.toggle("lost", worker.late);
  setText(model, worker.model ?? "");
  setText(beat, heartbeat(worker));
  setText(held, worker.model === null ? "" : `${worker.jobs.length} of ${worker.slots} slots`);
  setText(
    alone,
    worker.alone
      ? `Takes no other job until ${shortId(worker.alone)} has ended, which two workers were lost with.`
      : "",
  );
  keyedList(
    lanes,
    worker.jobs,
    ({ id }) => id,
    makeLane,
    (lane, job) => updateLane(lane, job, at),
  );
}

/** @param {Pick<Worker, "model" | "seen_s" | "late">} worker */
export function heartbeat({ model, seen_s, late }) {
  if (model === null) return "lost: no heartbeat for the length of a lease";
  if (late && seen_s !== null) return `no heartbeat for ${duration(seen_s)}`;
  return seen_s === null ? "alive" : `heartbeat ${duration(seen_s)} ago`;
}

/** @param {HeldJob} job */
function makeLane({ id, client, mode }) {
  return make(
    "li",
    {},
    make("a", { href: jobHash(id), class: "id", title: id }, shortId(id)),
    make("span", { class: "mode" }, mode),
    make("progress", { "aria-label": `Steps of job ${shortId(id)}` }),
    make("span", { class: "step" }),
    make("span", { class: "since" }),
    make("a", { href: jobsHash({ client }), class: "client quiet" }, client),
    make("span", { class: "lease trouble" }),
  );
}

/** @param {any} lane @param {HeldJob} job @param {string} at */
function updateLane(lane, job, at) {
  const [, , bar, step, since, , lease] = lane.children;
  bar.max = job.progress?.total ?? 1;
  bar.value = job.progress?.step ?? 0;
  setText(step, stage(job));
  setText(
    since,
    `${duration(secondsBetween(job.started_at, at))}${job.attempts > 1 ? `, attempt ${job.attempts}` : ""}`,
  );
  setText(lease, job.lease_left_s > 0 ? "" : "lease over");
}

/** What the worker has last reported.
 * @param {Pick<HeldJob, "progress">} job */
export function stage({ progress }) {
  if (!progress) return "preparing";
  return progress.step < progress.total ? `step ${progress.step} of ${progress.total}` : `${progress.total} steps done`;
}
