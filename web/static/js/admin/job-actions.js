/** Canceling, requeueing and purging jobs: counted by a dry run first, then done to exactly those that were counted. */

import { confirmed } from "./confirm-dialog.js";
import { count } from "./format.js";
import { actOnJobs } from "./operator-api.js";

/** @typedef {"cancel" | "requeue" | "purge"} Action */
/** @typedef {{ids: string[]} | {filter: Record<string, string>}} Target */
/** @typedef {{id: string, code: string, detail: string}} Refused */

const CHUNK = 100; // ids of one request
const MOST = 10_000; // jobs of one action

/** @type {Record<Action, {verb: string, past: string, what: string}>} */
const WORDS = {
  cancel: { verb: "Cancel", past: "Canceled", what: "They end at once, those that run at their next step." },
  requeue: {
    verb: "Requeue",
    past: "Requeued",
    what: "They wait again at their clients’ turn, with the same request, seed and id, and new deadlines.",
  },
  purge: {
    verb: "Purge",
    past: "Purged",
    what: "Their records and files are deleted for good; those that haven’t ended are canceled.",
  },
};

/** @param {Action} action @param {Target} target @param {(message: string) => void} report */
export async function actOnAll(action, target, report) {
  const { verb, past, what } = WORDS[action];
  report("Counting…");
  const { ids, refused, more } = await wouldBeDone(action, target);
  if (!ids.length) return report(refused.length ? `Nothing done. ${reasons(refused)}` : `There is none to ${action}.`);
  report("");
  const lines = "filter" in target ? [`All that match: ${describe(target.filter)}.`, what] : [what];
  if (refused.length) lines.push(`${count(refused.length, "other")} can’t be. ${reasons(refused)}`);
  if (more) lines.push("More match than one action may take; repeat it for the others.");
  const button = `${verb} ${count(ids.length, "job")}`;
  if (!(await confirmed({ title: `${button}?`, lines, verb: button }))) return;
  let done = 0;
  /** @type {Refused[]} */
  const failed = [];
  for (const chunk of chunks(ids)) {
    report(`${past} ${done} of ${count(ids.length, "job")}…`);
    const acted = await actOnJobs({ action, ids: chunk });
    done += acted.done.length;
    failed.push(...acted.refused);
  }
  report(`${past} ${count(done, "job")}.${failed.length ? ` ${failed.length} could not be. ${reasons(failed)}` : ""}`);
}

/** @param {Record<string, string>} filter */
const describe = ({ since, before, ...fields }) =>
  [
    ...Object.entries(fields).map(([name, value]) => `${name} ${value}`),
    `accepted ${since ? `from ${new Date(since).toLocaleString("en-GB")} ` : ""}until ${new Date(before).toLocaleString("en-GB")}`,
  ].join(", ");

/** @param {Action} action @param {Target} target */
async function wouldBeDone(action, target) {
  /** @type {string[]} */
  const ids = [];
  /** @type {Refused[]} */
  const refused = [];
  const take = (/** @type {import("./operator-api.js").Acted} */ acted) => {
    ids.push(...acted.done);
    refused.push(...acted.refused);
    return acted.next_cursor;
  };
  if ("ids" in target) {
    for (const chunk of chunks(target.ids)) take(await actOnJobs({ action, ids: chunk, dry_run: true }));
    return { ids, refused, more: false };
  }
  let cursor = null;
  do {
    cursor = take(await actOnJobs({ action, filter: target.filter, dry_run: true, ...(cursor && { cursor }) }));
  } while (cursor && ids.length < MOST);
  return { ids, refused, more: cursor !== null };
}

/** @param {string[]} ids */
function* chunks(ids) {
  for (let start = 0; start < ids.length; start += CHUNK) yield ids.slice(start, start + CHUNK);
}

/** The first reason of each kind.
 * @param {Refused[]} refused */
const reasons = (refused) => [...new Map(refused.map(({ code, detail }) => [code, detail])).values()].join(" ");
