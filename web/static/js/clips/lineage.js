/**
 * The visitor's clips as family trees: a clip stands to the right of the one it was made from, and the line between
 * them says how.
 * @typedef {import("./history.js").Clip} Clip
 */

import { make } from "../ui/dom.js";
import { CANCELED } from "../ui/messages.js";
import { paint } from "../spectrogram/picture.js";
import { descent, title } from "../api/requests.js";

const [NODE_WIDTH, NODE_HEIGHT] = [132, 92];
const [GAP_X, GAP_Y] = [54, 14];
const SVG = "http://www.w3.org/2000/svg";

/**
 * Columns by generation, rows by branch, the newest family first. Clips without family stand side by side.
 * @param {Clip[]} clips oldest first
 * @param {number} across  clips side by side at most
 * @returns {{places: Map<string, {x: number, y: number}>, columns: number, rows: number}}
 */
export function layOut(clips, across) {
  const known = new Set(clips.map(({ id }) => id));
  /** @type {Map<string, Clip[]>} */
  const children = new Map();
  const roots = [];
  for (const clip of clips) {
    const parent = clip.parents.find((id) => known.has(id));
    if (parent === undefined) roots.push(clip);
    else children.set(parent, [...(children.get(parent) ?? []), clip]);
  }
  const places = new Map();
  let [rows, columns, loose] = [0, 0, 0];
  /** @param {Clip} clip @param {number} x */
  const place = (clip, x) => {
    places.set(clip.id, { x, y: rows });
    columns = Math.max(columns, x + 1);
    (children.get(clip.id) ?? []).forEach((child, n) => {
      if (n) rows++;
      place(child, x + 1);
    });
  };
  const endRow = () => {
    rows += loose ? 1 : 0;
    loose = 0;
  };
  for (const root of roots.toReversed()) {
    const family = children.has(root.id);
    if (family || loose === across) endRow();
    place(root, family ? 0 : loose++);
    if (family) rows++;
  }
  endRow();
  return { places, columns, rows };
}

/**
 * @param {HTMLElement} root
 * @param {Clip[]} clips oldest first
 * @param {{current: Clip | null, pick(clip: Clip): void, drop(clip: Clip): void}} hands
 */
export function drawLineage(root, clips, { current, pick, drop }) {
  const across = Math.max(1, Math.floor((root.clientWidth + GAP_X) / (NODE_WIDTH + GAP_X)));
  const { places, columns, rows } = layOut(clips, across);
  const list = make("ol", { class: "nodes" });
  list.style.width = `${columns * (NODE_WIDTH + GAP_X) - GAP_X}px`;
  list.style.height = `${rows * (NODE_HEIGHT + GAP_Y)}px`;
  const lines = document.createElementNS(SVG, "svg");
  lines.setAttribute("aria-hidden", "true");
  list.append(lines);
  for (const clip of clips.toReversed()) {
    const at = /** @type {{x: number, y: number}} */ (places.get(clip.id));
    const item = node(clip, clip.id === current?.id, clips);
    item.style.left = `${at.x * (NODE_WIDTH + GAP_X)}px`;
    item.style.top = `${at.y * (NODE_HEIGHT + GAP_Y)}px`;
    item.querySelector(".open")?.addEventListener("click", () => pick(clip));
    item.querySelector(".drop")?.addEventListener("click", () => drop(clip));
    list.append(item);
    for (const id of clip.parents) {
      const from = places.get(id);
      if (from) lines.append(...branch(from, at, clip.verb));
    }
  }
  const { scrollLeft } = root;
  root.replaceChildren(
    clips.length ? list : make("p", { class: "quiet" }, "What you make appears here, and how it came about."),
  );
  root.scrollLeft = scrollLeft;
}

/** @param {Clip} clip @param {boolean} isCurrent @param {Clip[]} clips @returns {HTMLElement} */
function node(clip, isCurrent, clips) {
  const words = title(clip.request);
  const parent = clips.find(({ id }) => id === clip.parents[0]);
  const origin = parent ? descent(clip.verb, parent) : "";
  const state = { pending: ", in the making", failed: clip.error === CANCELED ? ", canceled" : ", failed", done: clip.draft ? ", a draft" : "" }[clip.status];
  const open = make(
    "button",
    {
      class: "open",
      type: "button",
      "aria-label": `${words}${origin}${state}`,
      ...(isCurrent && { "aria-current": "true" }),
    },
    thumbnail(clip),
    make("span", { class: "name" }, words),
  );
  const remove = make("button", { class: "drop", type: "button", "aria-label": `Forget ${words}` }, "×");
  return make("li", { class: `node ${clip.status}` }, open, remove);
}

/** @param {Clip} clip @returns {HTMLCanvasElement} */
export function thumbnail({ thumb }) {
  const canvas = make("canvas", { width: 96, height: 48 });
  if (thumb) paint(thumb, canvas);
  return canvas;
}

/** @param {{x: number, y: number}} from @param {{x: number, y: number}} to @param {string} verb */
function branch(from, to, verb) {
  const x1 = from.x * (NODE_WIDTH + GAP_X) + NODE_WIDTH;
  const x2 = to.x * (NODE_WIDTH + GAP_X);
  const y1 = from.y * (NODE_HEIGHT + GAP_Y) + 30;
  const y2 = to.y * (NODE_HEIGHT + GAP_Y) + 30;
  const middle = x2 - GAP_X / 2;
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `M${x1} ${y1} C${middle} ${y1} ${middle - 8} ${y2} ${x2} ${y2}`);
  const label = document.createElementNS(SVG, "text");
  label.setAttribute("x", String(x2 - 6));
  label.setAttribute("y", String(y2 - 7));
  label.textContent = verb;
  return [path, label];
}
