/** Publishes a clip and shows the link to its page. */

import { publish } from "../api/http.js";
import { find, openDialog } from "../ui/dom.js";

/** @typedef {import("./history.js").Clip} Clip */

const LOOPBACK = /^(localhost|.+\.localhost|127\..+|\[::1\])$/;

/** Publishes a clip if the visitor agrees, and shows its link.
 * @param {Clip} clip */
export async function shareClip(clip) {
  find("#only-here").hidden = !LOOPBACK.test(location.hostname);
  if ((await openDialog(find("#publish"))) !== "publish") return;
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
