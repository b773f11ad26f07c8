/** Asks before something is done that others notice. */

import { find, make, openDialog } from "../ui/dom.js";

/** @param {{title: string, lines: string[], verb: string}} question @returns {Promise<boolean>} */
export async function confirmed({ title, lines, verb }) {
  const dialog = find("#confirm");
  find("#confirm-title").textContent = title;
  find("#confirm-lines").replaceChildren(...lines.map((line) => make("p", {}, line)));
  find("#confirm-yes").textContent = verb;
  return (await openDialog(dialog)) === "yes";
}
