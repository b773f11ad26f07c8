/**
 * The player in other sites' frames. A classic script without storage, network or modules: it also runs in a sandboxed
 * frame, which has no origin, and where the browser blocks cookies.
 */
(() => {
  const audio = /** @type {HTMLAudioElement} */ (document.querySelector("audio"));
  const player = /** @type {HTMLElement} */ (document.querySelector(".player"));
  const button = /** @type {HTMLButtonElement} */ (player.querySelector("button"));
  const position = /** @type {HTMLInputElement} */ (player.querySelector("input"));
  const clock = /** @type {HTMLElement} */ (document.querySelector("output"));
  const duration = Number(audio.dataset.duration);

  const show = () => {
    const time = Math.min(audio.currentTime, duration);
    position.value = String(time);
    position.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${duration.toFixed(1)} seconds`);
    clock.textContent = time ? `${time.toFixed(1)} / ${duration.toFixed(1)} s` : `${duration.toFixed(1)} s`;
  };
  const follow = () => {
    show();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  for (const type of ["play", "pause", "ended", "seeked"]) {
    audio.addEventListener(type, () => {
      button.classList.toggle("playing", !audio.paused);
      button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
      follow();
    });
  }
  audio.addEventListener("error", () => (clock.textContent = "The sound can’t be loaded."));
  button.addEventListener("click", () => {
    if (audio.paused)
      void audio.play().catch(() => {}); // "error" says why
    else audio.pause();
  });
  position.addEventListener("input", () => {
    audio.currentTime = position.valueAsNumber;
    show();
  });
  show();
  audio.controls = false;
  audio.hidden = true;
  player.hidden = false;
})();
