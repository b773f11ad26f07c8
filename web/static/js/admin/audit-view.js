/** The audit log. */

import { find, make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { clock, relative, shortId } from "./format.js";
import { readAudit } from "./operator-api.js";
import { Pager } from "./pager.js";
import { jobHash } from "./route.js";
import { makeRow, setText } from "./table.js";

/** @typedef {import("./operator-api.js").AuditEntry} AuditEntry */

const LABELS = ["When", "Who", "Action", "On", "Details"];
const MOST = 200; // characters of details

export class AuditView {
  seconds = 5;
  root = find("#audit-view");
  #rows = find("#audit-rows");
  /** @type {Pager} */
  #pager;

  /** @param {{refresh: () => void}} page */
  constructor(page) {
    this.#pager = new Pager(find("#older-audit"), find("#newest-audit"), () => page.refresh());
  }

  open() {
    this.#pager.reset();
  }

  /** @param {AbortSignal} signal */
  read(signal) {
    return readAudit(this.#pager.cursor, signal);
  }

  /** @param {import("./operator-api.js").AuditPage} page */
  show({ at, entries, next_cursor }) {
    keyedList(
      this.#rows,
      entries,
      ({ id }) => id,
      makeEntry,
      (row, entry) => updateEntry(row, entry, at),
    );
    find("#no-audit").hidden = entries.length > 0;
    this.#pager.show(next_cursor);
  }
}

/** @param {AuditEntry} entry */
function makeEntry({ actor, action, target, details }) {
  const row = makeRow(LABELS);
  const [, who, what, on, more] = row.children;
  who.textContent = actor;
  what.textContent = action;
  const isJob = action.startsWith("job.") && target;
  on.append(isJob ? make("a", { href: jobHash(target), title: target, class: "id" }, shortId(target)) : target);
  const text = describe(details);
  more.textContent = text.length > MOST ? `${text.slice(0, MOST)}…` : text;
  return row;
}

/** @param {any} row @param {AuditEntry} entry @param {string} at */
function updateEntry(row, entry, at) {
  setText(row.firstElementChild, relative(entry.at, at));
  row.firstElementChild.title = clock(entry.at, at);
}

/** Ids of many jobs are left out: their count is there.
 * @param {Record<string, any>} details */
export function describe({ ids, ...details }) {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}
