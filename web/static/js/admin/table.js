/** Rows of tables that become stacks of labelled lines on small screens; roles keep them tables for screen readers. */

import { find, make } from "../ui/dom.js";

/**
 * A row with one cell for each label, the first of them its header; a label of "" has no line of its own.
 * @param {string[]} labels @param {number} [header] which cell names the row
 */
export function makeRow(labels, header = 0) {
  const cells = labels.map((label, index) =>
    index === header
      ? make("th", { role: "rowheader", scope: "row", "data-label": label })
      : make("td", { role: "cell", "data-label": label }),
  );
  return make("tr", { role: "row" }, ...cells);
}

/** Writes only what has changed, so that a selection of text survives.
 * @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A small coloured word; `kind` is also its class.
 * @param {Element} cell @param {string} kind @param {string} [text] */
export function setPill(cell, kind, text = kind) {
  if (!cell.querySelector(".pill")) cell.prepend(make("span", { class: "pill" }));
  const pill = find(".pill", cell);
  pill.className = `pill ${kind}`;
  setText(pill, text);
}
