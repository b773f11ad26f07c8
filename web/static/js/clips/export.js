/** Taking a clip away: as a file, or as a link to its own page. */

import { publish, upload } from "../api/http.js";
import { answer, find, save } from "../ui/dom.js";
import { sound, title } from "../api/requests.js";

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
 * @param {import("./clip-store.js").Workshop} workshop
 */
export async function saveAs(clip, format, workshop) {
  const name = `${fileName(clip)}.${format}`;
  if (format === "mp3") save(/** @type {Blob} */ (clip.audio), name);
  else if (format === "png") save(/** @type {Blob} */ (clip.png), name);
  else if (format === "json")
    save(new Blob([JSON.stringify(clip.request, null, 2)], { type: "application/json" }), name);
  else {
    // The server plays the picture once more, into a file that loses nothing.
    const { id } = await upload(/** @type {Blob} */ (clip.png), "clip.png");
    save(await workshop.audioOf(sound({ upload: id }, "wav")), name);
  }
}

const LOOPBACK = /^(localhost|.+\.localhost|127\..+|\[::1\])$/;

/** Publishes a clip, if the visitor agrees to what that means, and shows its link.
 * @param {Clip} clip */
export async function share(clip) {
  find("#only-here").hidden = !LOOPBACK.test(location.hostname);
  if ((await answer(find("#publish"))) !== "publish") return;
  const dialog = /** @type {HTMLDialogElement} */ (find("#share"));
  const link = /** @type {HTMLInputElement} */ (find("#share-link"));
  const copy = find("#copy");
  link.value = new URL((await publish(clip.id)).url, location.href).href;
  copy.textContent = "Copy";
  copy.onclick = async () => {
    link.select();
    await navigator.clipboard.writeText(link.value);
    copy.textContent = "Copied";
  };
  dialog.showModal();
  link.select();
}
