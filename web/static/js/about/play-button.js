/** The play buttons of the about page's demonstrations. */

import { Player } from "../audio/player.js";
import { find } from "../ui/dom.js";

/** The player that was started last.
 * @type {Player | null} */
let current = null;

/** A section's play button and its player; one player of the page plays at a time.
 * @param {HTMLElement} section @param {() => Promise<AudioBuffer>} load @returns {Player} */
export function playButton(section, load) {
  const player = new Player();
  const button = find(".round", section);
  const label = button.getAttribute("aria-label");
  button.addEventListener("click", async () => {
    if (player.playing) return player.pause();
    if (current !== player) current?.pause();
    current = player;
    if (!player.ready) player.load(await load());
    player.play();
  });
  player.addEventListener("change", () => {
    button.classList.toggle("playing", player.playing);
    button.setAttribute("aria-label", player.playing ? "Pause" : label);
  });
  return player;
}

/** Moves the playhead with the player, and seeks on clicks.
 * @param {Player} player @param {import("../spectrogram/spectrogram-view.js").SpectrogramView} spectrogram */
export function connectPlayhead(player, spectrogram) {
  const run = () => {
    spectrogram.time = player.time;
    if (player.playing) requestAnimationFrame(run);
  };
  player.addEventListener("change", () => {
    spectrogram.root.classList.toggle("playing", player.playing);
    run();
  });
  spectrogram.addEventListener("seek", (event) => player.seek(/** @type {CustomEvent} */ (event).detail));
}
