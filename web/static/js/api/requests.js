/**
 * What each gesture asks of `POST /jobs`. Fields that stand at the server's default are left out.
 *
 * @typedef {object} Controls  what the composer holds
 * @property {string} prompt
 * @property {string} negative
 * @property {number | null} seed  null: drawn by the server
 * @property {number} steps
 * @property {number | null} guidance  null: what suits the model
 * @property {number} width      columns of a clip made from nothing
 * @property {number} denoising  0–1, how far from what it starts with
 * @property {string | null} model
 * @property {Record<string, number> | null} lora  how strong, by name
 *
 * @typedef {{job: string} | {upload: string} | {seed_image: string}} Reference
 * @typedef {{seconds: [number, number], hertz: [number, number]}} Box
 * @typedef {Record<string, any>} Request
 */

import { drawSeed } from "../studio/prompts.js";

/** Which weights paint.
 * @param {Pick<Controls, "model" | "lora">} controls */
export const worn = ({ model, lora }) => ({ ...(model && { model }), ...(lora && { lora }) });

/** @param {Controls} controls */
const painted = ({ negative, steps, guidance, model, lora, seed }) => ({
  ...(negative && { negative_prompt: negative }),
  ...worn({ model, lora }),
  ...(seed !== null && { seed }),
  steps,
  ...(guidance !== null && { guidance }),
});

/** @param {Controls} controls @returns {Request} */
export const fromNothing = (controls) => ({
  mode: "text-to-audio",
  prompt: controls.prompt,
  width: controls.width,
  ...painted(controls),
});

/** Made with little work: enough to tell whether an idea is worth finishing.
 * @param {Controls} controls @param {number} seed @returns {Request} */
export function draft(controls, seed) {
  const { steps, ...rest } = fromNothing({ ...controls, seed });
  return { ...rest, quality: "draft" };
}

/** The same clip with all the work.
 * @param {Request} draft @param {Controls} controls @returns {Request} */
export const finish = ({ quality, ...rest }, { steps }) => ({ ...rest, steps });

/** @param {Controls} controls @param {Reference} init @returns {Request} */
export const riff = (controls, init) => ({
  mode: "riff",
  prompt: controls.prompt,
  init,
  denoising: controls.denoising,
  ...painted(controls),
});

/** @param {Controls} controls @param {Reference} init @param {Box} mask @returns {Request} */
export const repaint = (controls, init, mask) => ({
  mode: "inpaint",
  prompt: controls.prompt,
  init,
  mask,
  ...painted(controls),
});

/** @param {Controls} controls @param {Reference} init @param {number} seconds @returns {Request} */
export const extend = (controls, init, seconds) => ({
  mode: "extend",
  prompt: controls.prompt,
  init,
  seconds,
  ...painted(controls),
});

/** @param {Controls} controls @param {Reference} init @returns {Request} */
export const loop = (controls, init) => ({ mode: "loop", prompt: controls.prompt, init, ...painted(controls) });

/** A clip of any length, made anew in the prompt's words.
 * @param {Controls} controls @param {Reference} clip @returns {Request} */
export const sing = (controls, clip) => ({
  mode: "audio-to-audio",
  prompt: controls.prompt,
  clip,
  denoising: controls.denoising,
  ...painted(controls),
});

/** @param {Reference} image @param {string} [format] @returns {Request} */
export const sound = (image, format = "mp3") => ({ mode: "image-to-audio", image, format });

/** @param {Reference} clip @returns {Request} */
export const picture = (clip) => ({ mode: "audio-to-image", clip });

/**
 * Part of the way from one clip to another, in the shape of the first.
 * @param {Controls} controls @param {{request: Request}} from @param {{request: Request}} to
 * @param {Reference} init @param {number} alpha 0–1
 * @returns {Request}
 */
export const blend = ({ steps, denoising, model, lora }, from, to, init, alpha) => ({
  mode: "interpolate",
  start: { ...voice(from.request), denoising },
  end: { ...voice(to.request), denoising },
  init,
  alpha,
  steps,
  ...worn({ model, lora }),
});

/** What a clip was asked to be, whichever mode made it.
 * @param {Request} request @returns {{prompt: string, seed: number}} */
export function voice(request) {
  const asked = request.end ?? request;
  return { prompt: asked.prompt ?? "", seed: asked.seed ?? drawSeed() };
}

/** The same recipe with another seed; sounds and pictures as they are have none and come back unchanged.
 * @param {Request} request @returns {Request} */
export function vary(request) {
  if (request.mode === "interpolate") return { ...request, start: reseed(request.start), end: reseed(request.end) };
  return "seed" in request ? reseed(request) : request;
}

/** @template {Record<string, any>} T @param {T} fields */
const reseed = (fields) => ({ ...fields, seed: drawSeed() });

/** @type {Record<string, string>} */
const UNNAMED = { "image-to-audio": "a drawing", "audio-to-image": "a sound of yours", loop: "a loop" };

/** @type {Record<string, string>} */
const DESCENT = {
  riff: "a riff on",
  vary: "a variation of",
  repaint: "repainted from",
  extend: "extended from",
  loop: "looped from",
  blend: "blended from",
  finish: "finished from",
  draw: "drawn over",
};

/** How a clip came from another.
 * @param {string} verb @param {{request: Request}} parent */
export const descent = (verb, parent) => `, ${DESCENT[verb] ?? "made from"} ${title(parent.request)}`;

/** The words a clip is known by.
 * @param {Request} request */
export function title(request) {
  if (request.mode === "interpolate") return `${request.start.prompt} → ${request.end.prompt}`;
  if (request.prompt) return request.prompt;
  return UNNAMED[request.mode] ?? "untitled";
}
