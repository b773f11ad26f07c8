/** A response as it is shown: its headers, and a body that may be text, a stream, a picture or a sound. */

import { ownLink } from "../api/own-link.js";
import { make } from "../ui/dom.js";

const MAX_SHOWN = 200_000; // characters: a browser lays out more of them slowly

/** @param {Response} response */
export function showHeaders(response) {
  const lines = Array.from(response.headers, ([name, value]) => `${name}: ${value}`);
  const text = make("pre", { tabIndex: 0, "aria-label": "Headers", textContent: lines.join("\n") });
  return make("details", {}, make("summary", { textContent: "Headers" }), text);
}

/**
 * Shows the body below the headers.
 * @param {Response} response @param {HTMLElement} shown
 * @returns {Promise<unknown>} the body, if it is JSON
 */
export async function showBody(response, shown) {
  const type = response.headers.get("Content-Type") ?? "";
  if (/^(image|audio)\//.test(type)) {
    shown.append(media(type, URL.createObjectURL(await response.blob())));
    return;
  }
  const text = make("pre", { tabIndex: 0, "aria-label": "Body" });
  shown.append(text);
  if (/^application\/(problem\+)?json/.test(type)) {
    const body = await response.json();
    text.textContent = JSON.stringify(body, null, 2).slice(0, MAX_SHOWN);
    for (const [kind, file] of Object.entries(body?.result ?? {})) {
      if (kind === "image" || kind === "audio") shown.append(media(`${kind}/`, ownLink(file.url)));
    }
    return body;
  }
  await streamInto(text, response);
}

/** Shows text as it arrives. @param {HTMLElement} text @param {Response} response */
async function streamInto(text, response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) break;
    text.append(part.value);
    if ((text.textContent ?? "").length > MAX_SHOWN) {
      text.append("\n…");
      await reader?.cancel();
      break;
    }
  }
  if (!text.textContent) text.remove();
}

/** @param {string} type @param {string} url */
function media(type, url) {
  if (type.startsWith("image/")) return make("img", { src: url, alt: "The picture in the response" });
  return make("audio", { src: url, controls: true });
}
