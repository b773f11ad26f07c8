/** How the server is, in a few words, asked for every half minute while the page is looked at. */

import { Problem, getJson } from "./api.js";
import { find } from "./dom.js";

const EVERY_MS = 30_000;

export function showServer() {
  const line = find("#server");
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
    line.classList.toggle("unwell", !well);
  };
  void look();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  return look;
}
