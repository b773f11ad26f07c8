/** What a clip is called, and how it came from another. */

/** @typedef {import("../api/requests.js").Request} Request */

/** Names of clips without a prompt, by mode.
 * @type {Record<string, string>} */
const UNTITLED = {
  "image-to-audio": "a drawing",
  "audio-to-image": "a sound of yours",
  loop: "a loop",
  crossfade: "a crossfade",
};

/** How a clip came from its parent, by what made it.
 * @type {Record<string, string>} */
const ORIGINS = {
  riff: "a riff on",
  vary: "a variation of",
  repaint: "repainted from",
  extend: "extended from",
  loop: "looped from",
  blend: "blended from",
  finish: "finished from",
  draw: "drawn over",
};

/** A clip's title: its prompt, or the prompts of both ends.
 * @param {Request} request */
export function title(request) {
  const ends = request.start && request.end ? [request.start.prompt, request.end.prompt].filter(Boolean) : [];
  return request.prompt || ends.join(" → ") || (UNTITLED[request.mode] ?? "untitled");
}

/** How a clip came from another, to follow its title.
 * @param {string} verb @param {{request: Request}} parent */
export const origin = (verb, parent) => `, ${ORIGINS[verb] ?? "made from"} ${title(parent.request)}`;
