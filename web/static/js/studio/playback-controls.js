/** Play, repeat, volume, the clock, and the playhead, which follows the player. */

import { find } from "../ui/dom.js";

/**
 * @param {import("../audio/player.js").Player} player
 * @param {import("../spectrogram/spectrogram-view.js").SpectrogramView} spectrogram
 * @param {() => void} toggle  what the play button does
 */
export function wireTransport(player, spectrogram, toggle) {
  const play = find("#play");
  const repeat = find("#repeat");
  const clock = find("#clock");
  const volume = find("#volume");

  play.addEventListener("click", toggle);
  repeat.addEventListener("click", () => (player.loop = !player.loop));
  volume.addEventListener("input", () => (player.volume = volume.valueAsNumber));
  player.volume = volume.valueAsNumber;
  spectrogram.addEventListener("seek", (event) => player.seek(/** @type {CustomEvent} */ (event).detail));

  const show = () => {
    spectrogram.time = player.time;
    clock.textContent = player.time.toFixed(2);
  };
  const run = () => {
    show();
    if (player.playing) requestAnimationFrame(run);
  };
  player.addEventListener("change", () => {
    const { playing } = player;
    play.classList.toggle("playing", playing);
    play.setAttribute("aria-label", playing ? "Pause" : "Play the clip");
    spectrogram.root.classList.toggle("playing", playing);
    repeat.setAttribute("aria-pressed", String(player.loop));
    find("#total").textContent = `/ ${player.duration.toFixed(2)} s`;
    run();
  });

  addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (
      event.key !== " " ||
      event.defaultPrevented ||
      target.closest("input, textarea, select, button, summary, a, dialog")
    )
      return;
    event.preventDefault();
    toggle();
  });
}
