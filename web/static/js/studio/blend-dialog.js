/** The dialog for a blend: with which clip, and how far towards it. */

import { thumbnail } from "../clips/lineage.js";
import { title } from "../clips/title.js";
import { find, make, openDialog } from "../ui/dom.js";

/**
 * @param {HTMLDialogElement} dialog
 * @param {import("../clips/history.js").Clip[]} clips  to choose from
 * @returns {Promise<{partner: import("../clips/history.js").Clip, alpha: number} | null>} null: canceled
 */
export async function askBlend(dialog, clips) {
  const list = find("#partners", dialog);
  list.replaceChildren(
    ...clips.map((clip, n) =>
      make(
        "label",
        {},
        make("input", { type: "radio", name: "partner", value: clip.id, checked: n === 0 }),
        thumbnail(clip),
        make("span", {}, title(clip.request)),
      ),
    ),
  );
  if ((await openDialog(dialog)) !== "blend") return null;
  const chosen = list.querySelector("input:checked");
  const partner = clips.find(({ id }) => id === /** @type {HTMLInputElement | null} */ (chosen)?.value);
  return partner ? { partner, alpha: find("[name=alpha]", dialog).valueAsNumber } : null;
}
