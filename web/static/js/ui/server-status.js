/**
 * How the server is, in a few words: asked for every half minute while the page is looked at, sooner while it isn't well,
 * and at once when a request fails. Fires "back" at the window when it is well again.
 */

import { Problem, getJson } from "../api/http.js";
import { find } from "./dom.js";

const EVERY_MS = 30_000;
const UNWELL_EVERY_MS = 4_000;

export function showServer() {
  const line = find("#server");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = async () => {
    if (document.hidden) return;
    let [text, well] = ["", true];
    try {
      const { models } = await getJson("/models");
      const workers = models.reduce((/** @type {number} */ sum, /** @type {any} */ model) => sum + model.workers, 0);
      text = workers ? `${workers} worker${workers > 1 ? "s" : ""} ready` : "No worker is up: clips wait until one is";
      well = workers > 0;
    } catch (error) {
      text =
        error instanceof Problem && error.code === "store_unavailable" ? "The job store is away" : "The server is away";
      well = false;
    }
    if (line.textContent !== text) line.textContent = text;
    if (well && line.classList.contains("unwell")) dispatchEvent(new Event("back"));
    line.classList.toggle("unwell", !well);
    clearTimeout(timer);
    timer = setTimeout(look, well ? EVERY_MS : UNWELL_EVERY_MS);
  };
  void look();
  addEventListener("away", look);
  document.addEventListener("visibilitychange", look);
}
