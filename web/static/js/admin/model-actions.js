/** Pausing, draining, resuming and retiring a model, with what each would affect. */

import { confirmed } from "./confirm-dialog.js";
import { count } from "./format.js";
import { actOnModel } from "./operator-api.js";

/** @typedef {import("./operator-api.js").ModelQueue} ModelQueue */
/** @typedef {"pause" | "drain" | "resume" | "retire"} Action */

/** Those that make sense for a model as it is.
 * @param {ModelQueue} model @returns {Action[]} */
export function actionsFor({ state, workers, running, default: isDefault }) {
  /** @type {Action[]} */
  const actions = [];
  if (state !== "active") actions.push("resume");
  if (state !== "paused") actions.push("pause");
  if (state !== "draining") actions.push("drain");
  if (!workers && !running && !isDefault) actions.push("retire");
  return actions;
}

/** @type {Record<Action, (model: ModelQueue) => {title: string, lines: string[], verb: string}>} */
const QUESTIONS = {
  pause: ({ name, waiting, running }) => ({
    title: `Pause ${name}?`,
    lines: [
      `No more are started. Jobs that wait (${waiting}) and new ones stay in line, at most until their deadlines.`,
      `Jobs that run (${running}) are not touched.`,
    ],
    verb: "Pause",
  }),
  drain: ({ name, waiting, running }) => ({
    title: `Drain ${name}?`,
    lines: [
      "New jobs for it are refused from now on.",
      waiting + running ? `${count(waiting + running, "job")} that wait or run are still made.` : "None waits or runs.",
    ],
    verb: "Drain",
  }),
  resume: ({ name, waiting }) => ({
    title: `Resume ${name}?`,
    lines: [`New jobs are accepted, and those that wait (${waiting}) are started as slots are free.`],
    verb: "Resume",
  }),
  retire: ({ name, waiting }) => ({
    title: `Retire ${name}?`,
    lines: [
      `Jobs that wait (${waiting}) fail as model_retired, and the model is forgotten.`,
      "If a worker for it starts, it is there again.",
    ],
    verb: waiting ? `Fail ${count(waiting, "job")}` : "Retire",
  }),
};

const DONE = { pause: "is paused", drain: "is draining", resume: "is active", retire: "is retired" };

/** @param {ModelQueue} model @param {Action} action @returns {Promise<string>} what was done; "" for nothing */
export async function actOn(model, action) {
  if (!(await confirmed(QUESTIONS[action](model)))) return "";
  const { failed } = await actOnModel(model.name, action);
  return `${model.name} ${DONE[action]}${failed ? `; ${count(failed, "job")} failed` : ""}.`;
}
