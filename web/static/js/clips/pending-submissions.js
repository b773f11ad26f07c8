/**
 * Requests on their way to the server, kept until it has answered: a page that is reloaded meanwhile sends them again
 * under the same key, and gets the very jobs that were accepted.
 *
 * @typedef {object} Intent
 * @property {string} key  Idempotency-Key
 * @property {number} at   Unix ms
 * @property {any} body    a request, or several
 * @property {import("./clip-store.js").Kin} kin
 */

const NAME = "intents";
const KEPT_MS = 3_600_000;

/** @returns {Intent[]} */
const read = () => JSON.parse(localStorage.getItem(NAME) ?? "[]");

/** @param {Intent[]} intents */
const write = (intents) => localStorage.setItem(NAME, JSON.stringify(intents));

/** @param {any} body @param {import("./clip-store.js").Kin} kin @returns {Intent} */
export function intend(body, kin) {
  const intent = { key: crypto.randomUUID(), at: Date.now(), body, kin };
  write([...read(), intent]);
  return intent;
}

/** @param {Intent} intent */
export const settle = (intent) => write(read().filter(({ key }) => key !== intent.key));

/** What an earlier page was cut off from sending. */
export const unsettled = () => read().filter(({ at }) => Date.now() - at < KEPT_MS);
