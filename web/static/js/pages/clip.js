/** A published clip's page: the browser's own audio player, with the spectrogram following it. */

import { download } from "../api/http.js";
import { find } from "../ui/dom.js";
import { readPicture } from "../spectrogram/picture.js";
import { Spectrogram } from "../spectrogram/spectrogram-view.js";

const bench = find(".workbench");
const audio = /** @type {HTMLAudioElement} */ (find("audio"));
const stage = new Spectrogram(find(".stage"));

const follow = () => {
  stage.time = audio.currentTime;
  if (!audio.paused) requestAnimationFrame(follow);
};
for (const type of ["play", "pause", "seeked", "ended"]) {
  audio.addEventListener(type, () => {
    stage.root.classList.toggle("playing", !audio.paused);
    follow();
  });
}
stage.addEventListener("seek", (event) => (audio.currentTime = /** @type {CustomEvent} */ (event).detail));

const { picture, duration } = bench.dataset;
stage.show(await readPicture(await download(picture)), Number(duration));
