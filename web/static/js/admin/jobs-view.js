/** Everyone's jobs: found by status, age, model, error and client, selected, and acted on. */

import { find, make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { clock, count, relative, shortId } from "./format.js";
import { actOnAll } from "./job-actions.js";
import { findJobs } from "./operator-api.js";
import { Pager } from "./pager.js";
import { jobHash, jobsHash } from "./route.js";
import { makeRow, setPill, setText } from "./table.js";

/** @typedef {import("./operator-api.js").OperatorJob} OperatorJob */

const LABELS = ["", "Job", "Accepted", "Status", "Mode", "Model", "Client", "Attempts"];
const PAGE = 50;
const CALLS = 5; // of one refresh: each looks through a thousand jobs
const FIELDS = ["status", "age", "model", "error", "client"];

export class JobsView {
  seconds = 4;
  root = find("#jobs-view");
  #form = find("#job-filter");
  #rows = find("#job-rows");
  #all = find("#all-jobs");
  #older = find("#older-jobs");
  /** @type {Record<string, string>} */
  #query = {};
  /** @type {Set<string>} */
  #selected = new Set();
  /** @type {Pager} */
  #pager;
  #at = "";

  /** @param {{attempt: (action: () => Promise<string>) => void, report: (message: string) => void, refresh: () => void}} page */
  constructor(page) {
    this.page = page;
    this.#form.addEventListener("submit", (/** @type {Event} */ event) => this.#find(event));
    for (const list of this.#form.querySelectorAll("select")) list.addEventListener("change", () => this.#find());
    find("#job-by-id").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      location.hash = jobHash(find("#job-by-id [name=id]").value.trim());
    });
    this.#rows.addEventListener("change", () => this.#select());
    this.#all.addEventListener("change", () => {
      for (const box of this.#boxes()) box.checked = this.#all.checked;
      this.#select();
    });
    this.#pager = new Pager(this.#older, find("#newest-jobs"), () => page.refresh());
    find(".bulk", this.root).addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const { action } = /** @type {HTMLElement} */ (event.target).dataset;
      if (action) page.attempt(() => this.#act(/** @type {any} */ (action)));
    });
  }

  /** @param {{query: Record<string, string>}} route */
  open({ query }) {
    this.#query = query;
    for (const name of FIELDS) find(`[name=${name}]`, this.#form).value = query[name] ?? "";
    this.#pager.reset();
    this.#selected.clear();
  }

  /** One page; where few jobs match, several calls.
   * @param {AbortSignal} signal */
  async read(signal) {
    /** @type {OperatorJob[]} */
    const jobs = [];
    let [cursor, at] = [this.#pager.cursor, this.#at];
    for (let calls = 0; calls < CALLS; calls++) {
      const page = await findJobs({ ...this.#filter(at), limit: PAGE - jobs.length, cursor }, signal);
      jobs.push(...page.jobs);
      [cursor, at] = [page.next_cursor, page.at];
      if (cursor === null || jobs.length === PAGE) break;
    }
    return { at, jobs, next_cursor: cursor };
  }

  /** @param {import("./operator-api.js").JobPage} page */
  show({ at, jobs, next_cursor }) {
    this.#at = at;
    keyedList(
      this.#rows,
      jobs,
      ({ id }) => id,
      makeJob,
      (row, job) => updateJob(row, job, at),
    );
    const none = find("#no-jobs");
    none.hidden = jobs.length > 0;
    setText(
      none,
      next_cursor ? "None among the jobs that were looked through; older ones may match." : "No job matches.",
    );
    this.#pager.show(next_cursor);
    setText(this.#older, jobs.length ? "Older" : "Look through older ones");
    this.#select();
  }

  /** @returns {HTMLInputElement[]} */
  #boxes() {
    return [...this.#rows.querySelectorAll("[type=checkbox]")];
  }

  #select() {
    const boxes = this.#boxes();
    this.#selected = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    this.#all.checked = boxes.length > 0 && this.#selected.size === boxes.length;
    this.#all.indeterminate = this.#selected.size > 0 && !this.#all.checked;
    const everything = Object.values(this.#query).some(Boolean);
    const chosen = everything ? "On all jobs that match:" : "Select jobs, or a status, to act on them:";
    setText(find("#chosen"), this.#selected.size ? `On ${count(this.#selected.size, "selected job")}:` : chosen);
    for (const button of this.root.querySelectorAll(".bulk button")) {
      button.disabled = !this.#selected.size && !everything;
    }
  }

  /** The query as the API's filter.
   * @param {string} at  the server's time */
  #filter(at) {
    const { age, ...fields } = this.#query;
    const since = age && new Date((at ? Date.parse(at) : Date.now()) - Number(age) * 1000).toISOString();
    return { ...fields, ...(since && { since }) };
  }

  /** @param {"cancel" | "requeue" | "purge"} action */
  async #act(action) {
    // What is accepted after the list was read is left alone: nobody has seen it.
    const filter = { ...this.#filter(this.#at), before: this.#at };
    const target = this.#selected.size ? { ids: [...this.#selected] } : { filter };
    await actOnAll(action, target, this.page.report);
    for (const box of this.#boxes()) box.checked = false;
    return "";
  }

  /** @param {Event} [event] */
  #find(event) {
    event?.preventDefault();
    location.hash = jobsHash(
      Object.fromEntries(FIELDS.map((name) => [name, find(`[name=${name}]`, this.#form).value.trim()])),
    );
  }
}

/** @param {OperatorJob} job */
function makeJob({ id, mode, model, client }) {
  const row = makeRow(LABELS, 1);
  const [box, name, , status, modeCell, modelCell, clientCell] = row.children;
  box.append(
    make(
      "label",
      { class: "check" },
      make("input", { type: "checkbox", value: id }),
      make("span", { class: "unseen" }, `Select job ${shortId(id)}`),
    ),
  );
  name.append(make("a", { href: jobHash(id), title: id, class: "id" }, shortId(id)));
  status.append(make("span", { class: "note" }));
  modeCell.textContent = mode;
  modelCell.textContent = model;
  clientCell.append(make("a", { href: jobsHash({ client }) }, client));
  return row;
}

/** @param {any} row @param {OperatorJob} job @param {string} at */
function updateJob(row, job, at) {
  const [, , accepted, status, , , , attempts] = row.children;
  setText(accepted, relative(job.created_at, at));
  accepted.title = clock(job.created_at, at);
  setPill(status, job.status);
  setText(find(".note", status), note(job));
  setText(attempts, job.requeues ? `${job.attempts}, requeued ${job.requeues}×` : String(job.attempts));
}

/** What there is to know beside the status.
 * @param {Pick<OperatorJob, "status" | "progress" | "queue" | "error">} job */
export function note({ status, progress, queue, error }) {
  if (error) return error.code;
  if (status === "running") return progress ? `step ${progress.step} of ${progress.total}` : "preparing";
  if (status !== "queued" || !queue) return "";
  if (queue.paused) return "model paused";
  return queue.position === 0 ? "next" : `${count(queue.position, "job")} before it`;
}
