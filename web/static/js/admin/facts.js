/** A list of names and values, of which some are links. */

import { make } from "../ui/dom.js";
import { keyedList } from "../ui/keyed-list.js";
import { setText } from "./table.js";

/** @typedef {[name: string, text: string, href?: string]} Fact */

/** Those without a text are left out.
 * @param {Element} list a `dl` @param {Fact[]} facts */
export function showFacts(list, facts) {
  keyedList(
    list,
    facts.filter(([, text]) => text),
    ([name]) => name,
    ([name, , href]) => make("div", {}, make("dt", {}, name), make("dd", {}, href ? make("a", { href }) : "")),
    (line, [, text, href]) => {
      const link = line.querySelector("a");
      if (link && href) link.href = href;
      setText(link ?? line.querySelector("dd"), text);
    },
  );
}
