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
      `${count(waiting, "job")} that wait stay in line, at most until their deadlines; new ones are accepted and wait, too.`,
      `${count(running, "job")} that run are not touched.`,
    ],
    verb: "Pause",
  }),
  drain: ({ name, waiting, running }) => ({
    title: `Drain ${name}?`,
    lines: [
      "New jobs for it are refused from now on.",
      `${count(waiting, "job")} that wait and ${running} that run are still made.`,
    ],
    verb: "Drain",
  }),
  resume: ({ name, waiting }) => ({
    title: `Resume ${name}?`,
    lines: [`New jobs are accepted; ${count(waiting, "job")} that wait are started as workers are free.`],
    verb: "Resume",
  }),
  retire: ({ name, waiting }) => ({
    title: `Retire ${name}?`,
    lines: [
      `${count(waiting, "job")} that wait fail for good, as model_retired, and the model is forgotten.`,
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
