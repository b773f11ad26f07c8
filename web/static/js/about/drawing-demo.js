/** A small canvas for sound: the Studio's brushes, and the server's codec to hear it. */

import { follow, playButton } from "./samples.js";
import { download, submit, upload } from "../api/http.js";
import { find } from "../ui/dom.js";
import { CANVAS, Drawing } from "../spectrogram/drawing.js";
import { failure, refusal } from "../ui/messages.js";
import { toPng } from "../spectrogram/picture.js";
import { decode } from "../audio/player.js";
import { sound } from "../api/requests.js";
import { Spectrogram } from "../spectrogram/spectrogram-view.js";
import { watch } from "../api/job-watch.js";

/** @param {HTMLElement} section */
export function drawSomething(section) {
  const stage = new Spectrogram(find(".stage", section));
  stage.lend(CANVAS);
  stage.root.dataset.tool = "draw";
  const drawing = new Drawing(stage, find(".brushes", section));
  drawing.active = true;
  const said = find(".said", section);
  const player = playButton(section, async () => {
    try {
      said.textContent = "Turning the picture into sound …";
      const { id } = await upload(await toPng(/** @type {any} */ (stage.picture)), "drawing.png");
      const job = await watch((await submit(sound({ upload: id }))).id, () => {});
      if (!job.result) throw new Error(failure(job));
      said.textContent = "";
      drawing.touched = false;
      return decode(await download(job.result.audio.url));
    } catch (error) {
      said.textContent = refusal(error);
      throw error;
    }
  });
  stage.plate.addEventListener("pointerup", () => drawing.touched && player.load(null));
  follow(player, stage);
}
