/**
 * The server's status line: refreshed every half minute while the page is visible, more often while the server is not
 * ready, and at once when a request fails. Fires "serverup" at the window when the server is ready again.
 */

import { getJson } from "../api/http.js";
import { Problem } from "../api/problem.js";
import { find } from "./dom.js";

const INTERVAL_MS = 30_000;
const DOWN_INTERVAL_MS = 4_000;

export function showServerStatus() {
  const line = find("#server");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const refresh = async () => {
    if (document.hidden) return;
    let [text, ready] = ["", true];
    try {
      const { models } = await getJson("/models");
      const workers = models.reduce((/** @type {number} */ sum, /** @type {any} */ model) => sum + model.workers, 0);
      text = workers ? "Ready" : "Nothing is made right now: clips wait until a machine is free";
      ready = workers > 0;
    } catch (error) {
      text =
        error instanceof Problem && error.code === "store_unavailable"
          ? "The server can’t reach its list of clips"
          : "The server can’t be reached";
      ready = false;
    }
    if (line.textContent !== text) line.textContent = text;
    if (ready && line.classList.contains("down")) dispatchEvent(new Event("serverup"));
    line.classList.toggle("down", !ready);
    clearTimeout(timer);
    timer = setTimeout(refresh, ready ? INTERVAL_MS : DOWN_INTERVAL_MS);
  };
  void refresh();
  addEventListener("serverdown", refresh);
  document.addEventListener("visibilitychange", refresh);
}
