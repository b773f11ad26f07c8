/** Publishes a clip and shows the link to its page. */

import { publish, setListing } from "../api/http.js";
import { copyField } from "../ui/copy.js";
import { find, openDialog } from "../ui/dom.js";
import { refusal } from "../ui/messages.js";
import { keep } from "./history.js";

/** @typedef {import("./history.js").Clip} Clip */

const LOOPBACK = /^(localhost|.+\.localhost|127\..+|\[::1\])$/;

/** Publishes a clip if the visitor agrees, lists it in the gallery only if they also chose that, and shows its link.
 * @param {Clip} clip */
export async function shareClip(clip) {
  find("#only-here").hidden = !LOOPBACK.test(location.hostname);
  // There is no box on a server without a gallery.
  const box = /** @type {HTMLInputElement | null} */ (document.querySelector("#publish [name=listed]"));
  if (box) box.checked = clip.listed ?? false;
  if ((await openDialog(find("#publish"))) !== "publish") return;
  const dialog = /** @type {HTMLDialogElement} */ (find("#share"));
  const link = /** @type {HTMLInputElement} */ (find("#share-link"));
  const copy = find("#copy");
  const share = await publish(clip.id);
  link.value = new URL(share.url, location.href).href;
  find("#share-note").textContent = box && box.checked !== share.listed ? await changeListing(clip, box.checked) : "";
  copy.textContent = "Copy";
  copy.onclick = () => copyField(link, copy);
  dialog.showModal();
  link.select();
}

/** @param {Clip} clip @param {boolean} wanted @returns {Promise<string>} what came of it */
async function changeListing(clip, wanted) {
  try {
    clip.listed = (await setListing(clip.id, wanted)).listed;
  } catch (error) {
    return `The link works, but the gallery is unchanged. ${refusal(error)}`;
  }
  void keep(clip);
  return wanted ? "It is in the gallery." : "It is no longer in the gallery.";
}
