/** Clients: what one has, who is blocked, block and unblock. */

import { find, make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { confirmed } from "./confirm-dialog.js";
import { showFacts } from "./facts.js";
import { bytes, clock, count, duration, relative } from "./format.js";
import { actOnClient, readBlocks, readHoldings } from "./operator-api.js";
import { clientHash, jobsHash } from "./route.js";
import { makeRow, setText } from "./table.js";

/** @typedef {import("./operator-api.js").Block} Block */
/** @typedef {import("./operator-api.js").Holdings} Holdings */

const LABELS = ["Client", "Reason", "By", "Since", "Ends", ""];

export class ClientsView {
  seconds = 20; // a look through the names of all that Redis has
  root = find("#clients-view");
  #form = find("#client-form");
  #facts = find("#client-facts");

  /** @param {{attempt: (action: () => Promise<string>) => void, report: (message: string) => void}} page */
  constructor(page) {
    this.page = page;
    this.#form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const { value } = /** @type {HTMLButtonElement} */ (event.submitter);
      page.attempt(() => (value === "block" ? this.#block() : this.#count()));
    });
    find("#block-rows").addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const { client } = /** @type {HTMLElement} */ (event.target).dataset;
      if (client) page.attempt(() => unblock(client));
    });
  }

  /** @param {{query: Record<string, string>}} route */
  open({ query }) {
    this.#field("client").value = query.client ?? "";
    showFacts(this.#facts, []);
  }

  /** @param {AbortSignal} signal */
  read(signal) {
    return readBlocks(signal);
  }

  /** @param {{at: string, blocks: Block[]}} found */
  show({ at, blocks }) {
    keyedList(
      find("#block-rows"),
      blocks,
      ({ client, at: since }) => `${client} ${since}`,
      makeBlock,
      (row, block) => updateBlock(row, block, at),
    );
    find("#no-blocks").hidden = blocks.length > 0;
  }

  /** @param {string} name */
  #field(name) {
    return find(`[name=${name}]`, this.#form);
  }

  async #count() {
    this.page.report("Reading all records…");
    showFacts(this.#facts, facts(await readHoldings(this.#field("client").value.trim())));
    this.page.report("");
    return "";
  }

  async #block() {
    const [client, reason] = [this.#field("client").value.trim(), this.#field("reason").value.trim()];
    const { value, selectedOptions } = this.#field("hours");
    if (!reason) {
      this.#field("reason").focus();
      return "Give a reason: the client reads it.";
    }
    const lines = [
      `It can create no jobs, uploads or shared clips, for ${selectedOptions[0].text}. It reads: “${reason}”.`,
      "What it has waiting or running is not touched.",
    ];
    if (!(await confirmed({ title: `Block ${client}?`, lines, verb: "Block" }))) return "";
    const acted = await actOnClient({ action: "block", client, reason, hours: value ? Number(value) : null });
    return `${acted.client} is blocked.`;
  }
}

/** @param {string} client */
async function unblock(client) {
  const lines = ["It can create jobs, uploads and shared clips again."];
  if (!(await confirmed({ title: `Unblock ${client}?`, lines, verb: "Unblock" }))) return "";
  await actOnClient({ action: "unblock", client });
  return `${client} is not blocked any more.`;
}

/** @param {Holdings} holdings @returns {import("./facts.js").Fact[]} */
function facts({ at, client, jobs, uploads, batches, held, published, stored_bytes, request_bytes, first_at, block }) {
  const counts = Object.entries(jobs).map(([status, number]) => `${number.toLocaleString("en")} ${status}`);
  return [
    ["client", client, clientHash(client)],
    ["jobs", counts.join(", ") || "none", jobsHash({ client })],
    ["uploads", String(uploads)],
    ["batches", `${batches}, with ${held} requests that aren’t jobs yet`],
    ["shared", count(published, "clip")],
    ["stored", `${bytes(stored_bytes)} of files, ${bytes(request_bytes)} of requests`],
    ["since", first_at ? clock(first_at, at) : ""],
    ["blocked", block ? `ends ${ends(block)}: ${block.reason}` : "no"],
  ];
}

/** @param {Block} block */
const ends = ({ left_s }) => (left_s === null ? "when unblocked" : `in ${duration(left_s)}`);

/** @param {Block} block */
function makeBlock({ client, reason, by }) {
  const row = makeRow(LABELS);
  const [name, why, who, , , actions] = row.children;
  name.append(make("a", { href: clientHash(client) }, client));
  why.textContent = reason;
  who.textContent = by;
  actions.className = "actions";
  const label = `Unblock ${client}`;
  actions.append(
    make("button", { type: "button", class: "plain", "data-client": client, "aria-label": label }, "Unblock…"),
  );
  return row;
}

/** @param {any} row @param {Block} block @param {string} at */
function updateBlock(row, block, at) {
  const [, , , since, end] = row.children;
  setText(since, relative(block.at, at));
  since.title = clock(block.at, at);
  setText(end, ends(block));
}
