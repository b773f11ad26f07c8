/** A canvas with the studio's brushes; the server's codec turns the drawing into sound. */

import { download, submit, upload } from "../api/http.js";
import { watchJob } from "../api/job-watch.js";
import { imageToAudio } from "../api/requests.js";
import { decode } from "../audio/context.js";
import { CANVAS_LABEL, Drawing } from "../spectrogram/drawing.js";
import { toPng } from "../spectrogram/picture.js";
import { SpectrogramView } from "../spectrogram/spectrogram-view.js";
import { find } from "../ui/dom.js";
import { failure, refusal } from "../ui/messages.js";
import { connectPlayhead, playButton } from "./play-button.js";

/** @param {HTMLElement} section */
export function showDrawing(section) {
  const spectrogram = new SpectrogramView(find(".spectrogram", section));
  spectrogram.setTool(CANVAS_LABEL);
  spectrogram.root.dataset.tool = "draw";
  const drawing = new Drawing(spectrogram, find(".brushes", section));
  drawing.active = true;
  const message = find(".message", section);
  const player = playButton(section, async () => {
    try {
      message.textContent = "Turning the picture into sound …";
      const { id } = await upload(await toPng(/** @type {any} */ (spectrogram.picture)), "drawing.png");
      const job = await watchJob((await submit(imageToAudio({ upload: id }))).id, () => {});
      if (!job.result) throw new Error(failure(job));
      message.textContent = "";
      drawing.changed = false;
      return decode(await download(job.result.audio.url));
    } catch (error) {
      message.textContent = refusal(error);
      throw error;
    }
  });
  spectrogram.plate.addEventListener("pointerup", () => drawing.changed && player.load(null));
  connectPlayhead(player, spectrogram);
}
