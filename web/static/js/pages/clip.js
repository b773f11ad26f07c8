/** A published clip's page: the browser's own audio player, with the spectrogram following it. */

import { download } from "../api/http.js";
import { wireReports } from "../clips/report-dialog.js";
import { readPicture } from "../spectrogram/picture.js";
import { SpectrogramView } from "../spectrogram/spectrogram-view.js";
import { copyField } from "../ui/copy.js";
import { find } from "../ui/dom.js";

const section = find(".workbench");
const audio = /** @type {HTMLAudioElement} */ (find("audio"));
const spectrogram = new SpectrogramView(find(".spectrogram"));

const follow = () => {
  spectrogram.time = audio.currentTime;
  if (!audio.paused) requestAnimationFrame(follow);
};
for (const type of ["play", "pause", "seeked", "ended"]) {
  audio.addEventListener(type, () => {
    spectrogram.root.classList.toggle("playing", !audio.paused);
    follow();
  });
}
spectrogram.addEventListener("seek", (event) => (audio.currentTime = /** @type {CustomEvent} */ (event).detail));

find("#copy-embed").addEventListener("click", () => void copyField(find("#embed-code"), find("#copy-embed")));
const { id = "", title = "", picture, duration } = section.dataset;
wireReports(() => ({ id, title }));
spectrogram.show(await readPicture(await download(picture)), Number(duration));
