/** The dialog to enter or remove the visitor's API key. It opens by itself when the API responds with 401. */

import { apiKey, setApiKey } from "../api/api-key.js";
import { find } from "./dom.js";
import { refusal } from "./messages.js";

const WHY = "With a key from the people who run this server, you have limits of your own. It stays in this browser.";

export function wireKeyDialog() {
  const dialog = /** @type {HTMLDialogElement} */ (find("#key"));
  const field = /** @type {HTMLInputElement} */ (find("#key-field"));
  const setting = find("#key-setting");
  const remove = find("#key-remove");
  const open = (/** @type {string} */ why) => {
    if (dialog.open) return; // several requests may be refused at once
    find("#key-why").textContent = why;
    field.value = apiKey();
    remove.hidden = !apiKey();
    dialog.showModal();
    field.select();
  };
  const showState = () => (setting.textContent = apiKey() ? "API key, in use" : "API key");
  setting.addEventListener("click", () => {
    const settings = setting.closest("details");
    settings.open = false;
    settings.querySelector("summary").focus(); // which has the focus when the dialog closes
    open(WHY);
  });
  find("form", dialog).addEventListener("submit", () => setApiKey(field.value.trim()));
  remove.addEventListener("click", () => {
    setApiKey("");
    dialog.close();
  });
  find("#key-never").addEventListener("click", () => dialog.close());
  addEventListener("unauthorized", (event) => open(refusal(/** @type {CustomEvent} */ (event).detail)));
  addEventListener("keychange", showState);
  showState();
}
