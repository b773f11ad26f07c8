/** "Try it": a form below each operation, sent with the visitor's key or secret. */

import { apiKey } from "../api/api-key.js";
import { browserSecret } from "../api/browser-secret.js";
import { find } from "../ui/dom.js";
import { showBody, showHeaders } from "./response-view.js";

const SECRET = "Riffusion-Secret";

/**
 * What a form asks for.
 * @param {HTMLFormElement} form
 * @returns {{address: string, options: RequestInit}}
 */
export function requestOf(form) {
  const headers = new Headers();
  const query = new URLSearchParams();
  let address = form.dataset.path ?? "";
  for (const field of form.querySelectorAll("input[data-place]")) {
    const { name, value, dataset } = /** @type {HTMLInputElement} */ (field);
    const text = value.trim();
    if (dataset.place === "path") address = address.replace(`{${name}}`, encodeURIComponent(text));
    else if (text && dataset.place === "query") query.set(name, text);
    else if (text) headers.set(name, text);
  }
  if (form.dataset.takesKey === "true") {
    if (apiKey()) headers.set("Authorization", `Bearer ${apiKey()}`);
    if (!headers.has(SECRET)) headers.set(SECRET, browserSecret());
  }
  /** @type {RequestInit} */
  const options = { method: form.dataset.method, headers };
  const file = form.querySelector("input[type=file]");
  const body = form.querySelector("textarea");
  if (file) {
    const data = new FormData();
    data.append("file", /** @type {FileList} */ (/** @type {HTMLInputElement} */ (file).files)[0]);
    options.body = data;
  } else if (body) {
    options.body = body.value;
    headers.set("Content-Type", "application/json");
  }
  return { address: `${address}${query.size ? `?${query}` : ""}`, options };
}

// Where what a call has created is named in other calls.
const ID_FIELDS = { submit: "job_id", upload: "upload_id", publish: "share_id" };

/** Fills in the id of what was created wherever it is needed next. @param {string} operation @param {any} body */
function fillIds(operation, body) {
  const name = ID_FIELDS[/** @type {keyof ID_FIELDS} */ (operation)];
  const id = body?.id ?? body?.jobs?.[0]?.id;
  for (const field of name && id ? document.querySelectorAll(`.try [name=${name}]`) : []) {
    /** @type {HTMLInputElement} */ (field).value = id;
  }
}

/** @param {HTMLElement} details  with the form and a place for the response */
export function wireTryIt(details) {
  const form = /** @type {HTMLFormElement} */ (find("form", details));
  const status = find("[role=status]", form);
  const stop = find(".stop", form);
  const shown = find(".response", details);
  /** @type {AbortController | undefined} */
  let sent;
  const send = async () => {
    sent?.abort();
    const call = new AbortController();
    sent = call;
    shown.replaceChildren();
    status.textContent = "Waiting for the response …";
    stop.hidden = false;
    try {
      const { address, options } = requestOf(form);
      const began = performance.now();
      const response = await fetch(address, { ...options, signal: call.signal });
      const took = Math.round(performance.now() - began);
      status.textContent = `${response.status} ${response.statusText} after ${took} ms`;
      shown.append(showHeaders(response));
      const body = await showBody(response, shown);
      if (response.ok) fillIds(form.dataset.operation ?? "", body);
    } catch (error) {
      if (call !== sent) return; // sent again meanwhile
      status.textContent = call.signal.aborted ? "Stopped." : `Failed: ${/** @type {Error} */ (error).message}`;
    } finally {
      if (call === sent) stop.hidden = true;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  stop.addEventListener("click", () => sent?.abort());
  details.hidden = false;
}
