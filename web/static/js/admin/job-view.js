/** All about one job: whose, where, what happened when, what it was asked for. */

import { Problem } from "../api/problem.js";
import { find, make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { showFacts } from "./facts.js";
import { clock, duration, relative } from "./format.js";
import { actOnAll } from "./job-actions.js";
import { note } from "./jobs-view.js";
import { readJob } from "./operator-api.js";
import { clientHash } from "./route.js";
import { setText } from "./table.js";

/** @typedef {import("./operator-api.js").JobDetail} JobDetail */

/** @type {Record<string, (status: string) => boolean>} */
const POSSIBLE = {
  requeue: (status) => status === "failed",
  cancel: (status) => status === "queued" || status === "running",
  purge: () => true,
};

export class JobView {
  seconds = 2;
  root = find("#job-view");
  #id = "";

  /** @param {{attempt: (action: () => Promise<string>) => void, report: (message: string) => void}} page */
  constructor(page) {
    find(".bulk", this.root).addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const { action } = /** @type {HTMLElement} */ (event.target).dataset;
      if (!action) return;
      page.attempt(async () => {
        await actOnAll(/** @type {any} */ (action), { ids: [this.#id] }, page.report);
        return "";
      });
    });
  }

  /** @param {{id: string}} route */
  open({ id }) {
    this.#id = id;
    setText(find("#job-title"), "Job");
    find("#job-all").hidden = true;
    find("#job-gone").hidden = true;
  }

  /** @param {AbortSignal} signal @returns {Promise<JobDetail | Problem>} */
  async read(signal) {
    try {
      return await readJob(this.#id, signal);
    } catch (error) {
      if (error instanceof Problem && [404, 410].includes(error.status)) return error;
      throw error;
    }
  }

  /** @param {JobDetail | Problem} found */
  show(found) {
    const gone = found instanceof Problem;
    find("#job-all").hidden = gone;
    find("#job-gone").hidden = !gone;
    if (gone) return setText(find("#job-gone"), found.message);
    const { job, at } = found;
    const more = note(job);
    setText(find("#job-title"), `Job ${job.status}${more ? `: ${more}` : ""}`);
    for (const button of this.root.querySelectorAll(".bulk button")) {
      button.disabled = !POSSIBLE[button.dataset.action](job.status);
    }
    showFacts(find("#job-facts"), facts(found));
    keyedList(
      find("#job-steps"),
      found.timeline,
      (step) => `${step.at} ${step.event}`,
      () => make("li", {}, make("time"), make("strong"), make("span")),
      (line, step) => updateStep(line, step, at),
    );
    setText(find("#job-request"), JSON.stringify(found.request, null, 2));
  }
}

/** @param {JobDetail} found @returns {import("./facts.js").Fact[]} */
function facts({ job, at, cost, degraded, warnings, webhook }) {
  const { queue, error } = job;
  const eta = queue?.eta_s ? `, starts in about ${duration(queue.eta_s)}` : "";
  return [
    ["id", job.id],
    ["client", job.client, clientHash(job.client)],
    ["mode", job.mode],
    ["model", job.model],
    ["accepted", `${clock(job.created_at, at)}, ${relative(job.created_at, at)}`],
    ["queue", queue ? `${queue.position} before it${eta}` : ""],
    ["worker", job.worker ?? ""],
    ["attempts", String(job.attempts)],
    ["requeued", job.requeues ? `${job.requeues}×` : ""],
    ["error", error ? `${error.code}: ${error.detail}` : ""],
    ["warnings", warnings.join(" ")],
    [
      "cost",
      `${cost.toLocaleString("en", { maximumFractionDigits: 1 })}${degraded ? ", with fewer steps than asked for" : ""}`,
    ],
    [
      "webhook",
      webhook ? `${webhook.state} after ${webhook.attempts} tries${webhook.error ? `: ${webhook.error}` : ""}` : "",
    ],
  ];
}

/** @param {any} line @param {{at: string, event: string, detail: string}} step @param {string} at */
function updateStep(line, step, at) {
  const [time, event, detail] = line.children;
  line.classList.toggle("future", Date.parse(step.at) > Date.parse(at));
  line.classList.toggle("bad", ["failed", "attempt ended"].includes(step.event));
  time.dateTime = step.at;
  time.title = clock(step.at, at);
  setText(time, relative(step.at, at));
  setText(event, step.event);
  setText(detail, step.detail);
}
