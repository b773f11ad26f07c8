/** The dialog that asks which clip to blend with, and how far. */

import { answer, find, make } from "../ui/dom.js";
import { thumbnail } from "../clips/lineage.js";
import { title } from "../api/requests.js";

/**
 * @param {HTMLDialogElement} dialog
 * @param {import("../clips/history.js").Clip[]} clips  to choose from
 * @returns {Promise<{partner: import("../clips/history.js").Clip, alpha: number} | null>} null: never mind
 */
export async function askPartner(dialog, clips) {
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
  if ((await answer(dialog)) !== "blend") return null;
  const chosen = list.querySelector("input:checked");
  const partner = clips.find(({ id }) => id === /** @type {HTMLInputElement | null} */ (chosen)?.value);
  return partner ? { partner, alpha: find("[name=alpha]", dialog).valueAsNumber } : null;
}
