/** Reports a published clip to the people who run the server. */

import { reportClip } from "../api/http.js";
import { find, openDialog } from "../ui/dom.js";
import { refusal } from "../ui/messages.js";

/** Has the page's report buttons open the dialog.
 * @param {(button: HTMLElement) => {id: string, title: string}} clipOf  which clip a button is about */
export function wireReports(clipOf) {
  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button.report");
    if (button instanceof HTMLElement) void report(clipOf(button));
  });
}

/** @param {{id: string, title: string}} clip */
async function report({ id, title }) {
  const dialog = /** @type {HTMLDialogElement} */ (find("#report"));
  const form = /** @type {HTMLFormElement} */ (find("form", dialog));
  const outcome = find("#report-outcome");
  outcome.textContent = "";
  form.reset();
  find("#report-title").textContent = `What is wrong with “${title}”?`;
  if ((await openDialog(dialog)) !== "report") return;
  const fields = new FormData(form);
  try {
    await reportClip(id, String(fields.get("reason")), String(fields.get("details")));
    outcome.textContent = "Thank you. The people who run this server will look at it.";
  } catch (error) {
    outcome.textContent = refusal(error);
  }
}
