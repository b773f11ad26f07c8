/** Published clips: what visitors report, what was taken down; take down, restore, dismiss. */

import { find, make, openDialog } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { confirmed } from "./confirm-dialog.js";
import { clock, count, relative } from "./format.js";
import { actOnClip, readClips, readTakedowns } from "./operator-api.js";
import { Pager } from "./pager.js";
import { clientHash, clipsHash, jobHash } from "./route.js";
import { makeRow, setText } from "./table.js";

/** @typedef {import("./operator-api.js").Clip} Clip */
/** @typedef {import("./operator-api.js").Takedown} Takedown */

const LABELS = ["Clip", "When", "Reports", "State", "Client", ""];
const DOWN_LABELS = ["Clip", "Since", "Reason, which visitors read", "By", ""];
const NONE = {
  reported: "No report waits for you.",
  gallery: "Nothing is in the gallery.",
  published: "Nothing is published.",
  "taken-down": "Nothing was taken down.",
};

export class ClipsView {
  seconds = 5;
  root = find("#clips-view");
  #rows = find("#clip-rows");
  #downs = find("#takedown-rows");
  #index = "reported";
  /** @type {Pager} */
  #pager;

  /** @param {{attempt: (action: () => Promise<string>) => void, refresh: () => void}} page */
  constructor(page) {
    this.#pager = new Pager(find("#older-clips"), find("#newest-clips"), () => page.refresh());
    find("#clip-index").addEventListener("change", (/** @type {Event} */ event) => {
      location.hash = clipsHash(/** @type {HTMLInputElement} */ (event.target).value);
    });
    this.root.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const { clipAction, id = "", title = "" } = /** @type {HTMLElement} */ (event.target).dataset;
      if (clipAction) page.attempt(() => act(clipAction, id, title));
    });
  }

  /** @param {{query: Record<string, string>}} route */
  open({ query }) {
    this.#index = query.index && query.index in NONE ? query.index : "reported";
    this.#pager.reset();
    find(`#clip-index [value=${this.#index}]`).checked = true;
    this.#rows.replaceChildren();
    this.#downs.replaceChildren();
    find("#no-clips").hidden = true;
  }

  /** @param {AbortSignal} signal */
  read(signal) {
    return this.#index === "taken-down"
      ? readTakedowns(this.#pager.cursor, signal)
      : readClips(this.#index, this.#pager.cursor, signal);
  }

  /** @param {{at: string, clips?: Clip[], takedowns?: Takedown[], next_cursor: string | null}} found */
  show({ at, clips = [], takedowns = [], next_cursor }) {
    const down = this.#index === "taken-down";
    find("#clip-table").hidden = down;
    find("#takedown-table").hidden = !down;
    keyedList(this.#rows, clips, keyOf, makeClip, (row, clip) => updateTime(row, clip, at));
    keyedList(
      this.#downs,
      takedowns,
      ({ id }) => id,
      makeTakedown,
      (row, each) => updateTime(row, each, at),
    );
    find("#no-clips").hidden = clips.length + takedowns.length > 0;
    find("#no-clips").textContent = NONE[/** @type {keyof typeof NONE} */ (this.#index)];
    this.#pager.show(next_cursor);
  }
}

/** What a row shows; another row is made when it changes.
 * @param {Clip} clip */
const keyOf = ({ id, listed, takedown, reports }) => JSON.stringify([id, listed, takedown, reports]);

/** @param {string} action @param {string} id @param {string} title */
async function act(action, id, title) {
  if (action === "takedown") {
    const reason = await askReason(title);
    if (!reason) return "";
    await actOnClip({ action, id, reason });
    return `“${title}” is taken down.`;
  }
  const restore = action === "restore";
  const lines = restore
    ? ["Everybody with its link can hear it again, as long as it is kept."]
    : ["Its reports leave this list. It comes back when somebody else reports it."];
  if (
    !(await confirmed({
      title: restore ? "Restore this clip?" : "Dismiss its reports?",
      lines,
      verb: restore ? "Restore" : "Dismiss",
    }))
  )
    return "";
  await actOnClip({ action, id });
  return restore ? "It is restored." : "Its reports are dismissed.";
}

/** @param {string} title @returns {Promise<string>} "" where the operator decides against it */
async function askReason(title) {
  const field = find("#takedown-reason");
  field.value = "";
  find("#takedown-title").textContent = `Take “${title}” down?`;
  return (await openDialog(find("#takedown"))) === "yes" ? field.value.trim() : "";
}

/** @param {Clip} clip */
function makeClip({ id, url, job, client, title, listed, takedown, reports }) {
  const row = makeRow(LABELS);
  const [name, , why, state, who, actions] = row.children;
  name.append(
    takedown ? title : make("a", { href: url, target: "_blank", rel: "noopener" }, title),
    make("div", { class: "note-line" }, make("a", { href: jobHash(job) }, "its job")),
  );
  why.append(...reportLines(reports));
  state.textContent = takedown ? `taken down: ${takedown}` : listed ? "in the gallery" : "by link only";
  who.append(make("a", { href: clientHash(client) }, client));
  actions.className = "actions";
  actions.append(
    takedown ? button("restore", "Restore…", id, title) : button("takedown", "Take down…", id, title),
    ...(reports.count && !takedown ? [button("dismiss", "Dismiss…", id, title)] : []),
  );
  return row;
}

/** @param {Clip["reports"]} reports */
function reportLines({ count: clients, reasons, details }) {
  if (!clients) return [];
  const parts = Object.entries(reasons).map(([reason, number]) => `${number} ${reason}`);
  return [
    `${count(clients, "visitor")}: ${parts.join(", ")}`,
    ...details.map((text) => make("div", { class: "note-line" }, `“${text}”`)),
  ];
}

/** @param {Takedown} takedown */
function makeTakedown({ id, reason, by }) {
  const row = makeRow(DOWN_LABELS);
  const [name, , why, who, actions] = row.children;
  name.textContent = id;
  name.className = "id";
  why.textContent = reason;
  who.textContent = by;
  actions.className = "actions";
  actions.append(button("restore", "Restore…", id, id));
  return row;
}

/** @param {string} action @param {string} text @param {string} id @param {string} title */
const button = (action, text, id, title) =>
  make(
    "button",
    {
      type: "button",
      class: "plain",
      "data-clip-action": action,
      "data-id": id,
      "data-title": title,
      "aria-label": `${text.replace("…", "")}: ${title}`,
    },
    text,
  );

/** @param {any} row @param {{at: string}} each @param {string} at */
function updateTime(row, each, at) {
  const cell = row.children[1];
  setText(cell, relative(each.at, at));
  cell.title = clock(each.at, at);
}
