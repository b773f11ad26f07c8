/** What runs now: models with their queues, workers with the jobs that they hold. */

import { find, make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { count, duration } from "./format.js";
import { actionsFor, actOn } from "./model-actions.js";
import { readOverview } from "./operator-api.js";
import { Pager } from "./pager.js";
import { jobsHash } from "./route.js";
import { makeRow, setPill, setText } from "./table.js";
import { makeWorker, updateWorker } from "./worker-card.js";

/** @typedef {import("./operator-api.js").Overview} Overview */
/** @typedef {import("./operator-api.js").ModelQueue} ModelQueue */

const LABELS = ["Model", "State", "Workers", "Slots", "Waiting", "Clears in", ""];

export class ServiceView {
  seconds = 2;
  root = find("#service-view");
  #models = find("#models");
  #workers = find("#workers");
  /** @type {Pager} */
  #pager;
  /** @type {ModelQueue[]} */
  #latest = [];

  /** @param {{attempt: (action: () => Promise<string>) => void, refresh: () => void}} page */
  constructor(page) {
    this.#pager = new Pager(find("#more-workers"), find("#first-workers"), () => page.refresh());
    this.#models.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const { action, model } = /** @type {HTMLElement} */ (event.target).dataset;
      const found = this.#latest.find(({ name }) => name === model);
      if (found && action) page.attempt(() => actOn(found, /** @type {any} */ (action)));
    });
  }

  open() {}

  /** @param {AbortSignal} signal */
  read(signal) {
    return readOverview(this.#pager.cursor, signal);
  }

  /** @param {Overview} overview */
  show({ at, models, workers, next_cursor }) {
    this.#latest = models;
    setText(find("#service-title"), headline(models));
    keyedList(this.#models, models, ({ name }) => name, makeModel, updateModel);
    keyedList(
      this.#workers,
      workers,
      ({ name }) => name,
      makeWorker,
      (card, worker) => updateWorker(card, worker, at),
    );
    find("#no-models").hidden = models.length > 0;
    find("#no-workers").hidden = workers.length > 0 || this.#pager.cursor !== null;
    this.#pager.show(next_cursor);
  }
}

/** @param {ModelQueue[]} models */
export function headline(models) {
  const sum = (/** @type {(model: ModelQueue) => number} */ of) =>
    models.reduce((total, model) => total + of(model), 0);
  const [workers, running, waiting] = [sum((m) => m.workers), sum((m) => m.running), sum((m) => m.waiting)];
  if (!workers) return waiting ? `No worker is up, and ${count(waiting, "job")} wait.` : "No worker is up.";
  const slots = sum((m) => m.slots);
  const busy = `${running.toLocaleString("en")} of ${count(slots, "slot")} busy on ${count(workers, "worker")}`;
  return `${busy}; ${waiting ? count(waiting, "job") : "nothing"} waiting.`;
}

/** @param {ModelQueue} model */
function makeModel({ name, default: isDefault }) {
  const row = makeRow(LABELS);
  const [title, , , slots, waiting, , actions] = row.children;
  title.append(
    make("span", { class: "name" }, name),
    isDefault ? " " : "",
    isDefault ? make("span", { class: "quiet" }, "default") : "",
  );
  slots.append(
    make("meter", { min: 0, "aria-label": `Slots of ${name} in use` }),
    make("span"),
    make("span", { class: "lost" }),
  );
  waiting.append(make("a", { href: jobsHash({ status: "queued", model: name }) }));
  actions.className = "actions";
  return row;
}

/** @param {any} row @param {ModelQueue} model */
function updateModel(row, model) {
  const [, state, workers, slots, waiting, clears, actions] = row.children;
  setPill(state, model.state);
  setText(workers, String(model.workers));
  const [meter, text, lost] = slots.children;
  meter.max = Math.max(model.slots, 1);
  meter.value = Math.min(model.running, model.slots);
  setText(text, `${model.running} of ${model.slots}`);
  setText(lost, model.lost ? `${count(model.lost, "job")} of lost workers, taken back when their leases end` : "");
  setText(waiting.firstElementChild, model.waiting.toLocaleString("en"));
  waiting.firstElementChild.setAttribute("aria-label", `${count(model.waiting, "job")} waiting for ${model.name}`);
  setText(clears, clearing(model));
  keyedList(
    actions,
    actionsFor(model),
    (action) => action,
    (action) =>
      make(
        "button",
        {
          type: "button",
          class: "plain",
          "data-action": action,
          "data-model": model.name,
          "aria-label": `${capital(action)} ${model.name}`,
        },
        `${capital(action)}…`,
      ),
    () => {},
  );
}

/** When all that waits has been made: an estimate, by the pace of earlier jobs.
 * @param {ModelQueue} model */
function clearing({ waiting, state, clears_in_s }) {
  if (!waiting) return "–";
  if (state === "paused") return "paused";
  return clears_in_s === null ? "unknown" : `about ${duration(clears_in_s)}`;
}

/** @param {string} word */
const capital = (word) => word[0].toUpperCase() + word.slice(1);
