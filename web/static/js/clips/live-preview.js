/** The picture of a clip while it is made: downloads each new preview of its job. */

import { preview } from "../api/http.js";
import { readPicture } from "../spectrogram/picture.js";

/**
 * @param {(picture: import("../spectrogram/picture.js").Picture) => void} show  called with each
 * @returns {(job: import("../api/http.js").Job) => Promise<void>}  to be called with every state of the job
 */
export function livePreview(show) {
  let latest = 0;
  let downloading = false;
  return async (job) => {
    if (downloading || !job.preview || job.preview.number === latest) return;
    downloading = true;
    try {
      latest = job.preview.number;
      show(await readPicture(await preview(job.id)));
    } catch {
      // Gone: the job has just ended. The next state says so.
    } finally {
      downloading = false;
    }
  };
}
