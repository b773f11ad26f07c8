/** The gallery: clips play in place, one at a time. */

import { wireReports } from "../clips/report-dialog.js";
import { find } from "../ui/dom.js";

const audio = new Audio();
/** The exhibit that plays, or played last.
 * @type {HTMLElement | null} */
let current = null;

function follow() {
  if (!current) return;
  const share = audio.duration ? audio.currentTime / audio.duration : 0;
  current.style.setProperty("--at", `${100 * share}%`);
  if (!audio.paused) requestAnimationFrame(follow);
}

function showState() {
  for (const exhibit of document.querySelectorAll(".gallery li[data-id]")) {
    const { title } = /** @type {HTMLElement} */ (exhibit).dataset;
    const plays = exhibit === current && !audio.paused;
    exhibit.classList.toggle("playing", plays);
    const button = find(".round", exhibit);
    button.classList.toggle("playing", plays);
    button.setAttribute("aria-label", `${plays ? "Pause" : "Play"} “${title}”`);
  }
  follow();
}

find(".gallery").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button.round");
  if (!(button instanceof HTMLElement)) return;
  const exhibit = /** @type {HTMLElement} */ (button.closest("li"));
  if (exhibit !== current) {
    current = exhibit;
    audio.src = button.dataset.audio ?? "";
  } else if (!audio.paused) {
    audio.pause();
    return;
  }
  void audio.play().catch(() => showState());
});
for (const type of ["play", "pause", "ended"]) audio.addEventListener(type, showState);
audio.addEventListener("error", () => {
  find("#report-outcome").textContent = "That clip can’t be loaded: it has expired, or was taken down.";
});
wireReports((button) => {
  const { id = "", title = "" } = /** @type {HTMLElement} */ (button.closest("li")).dataset;
  return { id, title };
});
