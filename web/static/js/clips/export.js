/** Saves a clip as a file. */

import { upload } from "../api/http.js";
import { imageToAudio } from "../api/requests.js";
import { saveFile } from "../ui/dom.js";
import { title } from "./title.js";

/** @typedef {import("./history.js").Clip} Clip */

/** @param {Clip} clip */
const fileName = (clip) =>
  title(clip.request)
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60) || "clip";

/**
 * @param {Clip} clip
 * @param {string} format  "mp3", "wav", "png" or "json"
 * @param {import("./clip-store.js").ClipStore} clipStore
 */
export async function exportClip(clip, format, clipStore) {
  const name = `${fileName(clip)}.${format}`;
  if (format === "mp3") saveFile(/** @type {Blob} */ (clip.audio), name);
  else if (format === "png") saveFile(/** @type {Blob} */ (clip.png), name);
  else if (format === "json") {
    saveFile(new Blob([JSON.stringify(clip.request, null, 2)], { type: "application/json" }), name);
  } else {
    // The server turns the picture into sound again, without lossy compression.
    const { id } = await upload(/** @type {Blob} */ (clip.png), "clip.png");
    saveFile(await clipStore.audioOf(imageToAudio({ upload: id }, "wav")), name);
  }
}
