/**
 * The visitor's clips drawn as family trees; the line between two clips is labelled with what made one from the other.
 * @typedef {import("./history.js").Clip} Clip
 */

import { paint } from "../spectrogram/picture.js";
import { make } from "../ui/dom.js";
import { CANCELED } from "../ui/messages.js";
import { layOut } from "./family-tree.js";
import { origin, title } from "./title.js";

const [NODE_WIDTH, NODE_HEIGHT] = [132, 92];
const [GAP_X, GAP_Y] = [54, 14];
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLElement} root
 * @param {Clip[]} clips oldest first
 * @param {{current: Clip | null, pick(clip: Clip): void, drop(clip: Clip): void}} handlers
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
    clips.length
      ? list
      : make("p", { class: "quiet" }, "The clips that you make appear here, and what they were made from."),
  );
  root.scrollLeft = scrollLeft;
}

/** @param {Clip} clip @param {boolean} isCurrent @param {Clip[]} clips @returns {HTMLElement} */
function node(clip, isCurrent, clips) {
  const name = title(clip.request);
  const parent = clips.find(({ id }) => id === clip.parents[0]);
  const from = parent ? origin(clip.verb, parent) : "";
  const state = {
    pending: ", in the making",
    failed: clip.error === CANCELED ? ", canceled" : ", failed",
    done: clip.draft ? ", a draft" : "",
  }[clip.status];
  const open = make(
    "button",
    {
      class: "open",
      type: "button",
      "aria-label": `${name}${from}${state}`,
      ...(isCurrent && { "aria-current": "true" }),
    },
    thumbnail(clip),
    make("span", { class: "name" }, name),
  );
  const remove = make("button", { class: "drop", type: "button", "aria-label": `Forget ${name}` }, "×");
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
