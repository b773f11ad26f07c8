/**
 * The bodies of `POST /jobs` for what a visitor can make. Fields at the server's default are left out.
 *
 * @typedef {object} Controls  the values of the prompt form
 * @property {string} prompt
 * @property {string} negative
 * @property {number | null} seed  null: the server draws one
 * @property {string} quality  "fast", "standard" or "best"
 * @property {number | null} steps  null: those of the quality
 * @property {number | null} guidance  null: the model's own
 * @property {Sampler | null} sampler  null: that of the quality
 * @property {number} width      columns of a clip made from nothing
 * @property {number} denoising  0–1, the strength: how much of what it starts from is replaced
 * @property {string | null} model
 * @property {Record<string, number> | null} lora  weights by name
 *
 * @typedef {{scheduler: string, timestep_spacing?: string | null, guidance_end?: number | null}} Sampler
 * @typedef {{job: string} | {upload: string} | {seed_image: string}} Reference
 * @typedef {{seconds: [number, number], hertz: [number, number]}} Box
 * @typedef {Record<string, any>} Request
 */

export const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

/** Which weights denoise.
 * @param {Pick<Controls, "model" | "lora">} controls */
export const modelAndLoras = ({ model, lora }) => ({ ...(model && { model }), ...(lora && { lora }) });

/** How much work is spent.
 * @param {Pick<Controls, "quality" | "steps" | "sampler">} controls */
const qualityAndSteps = ({ quality, steps, sampler }) => ({
  ...(quality !== "standard" && { quality }),
  ...(steps !== null && { steps }),
  ...sampler,
});

/** @param {Controls} controls */
const denoisingFields = ({ negative, guidance, model, lora, seed, ...controls }) => ({
  ...(negative && { negative_prompt: negative }),
  ...modelAndLoras({ model, lora }),
  ...(seed !== null && { seed }),
  ...qualityAndSteps(controls),
  ...(guidance !== null && { guidance }),
});

/** @param {Controls} controls @returns {Request} */
export const fromNothing = (controls) => ({
  mode: "text-to-audio",
  prompt: controls.prompt,
  width: controls.width,
  ...denoisingFields(controls),
});

/** The same as a draft, at quality fast, whose guidance is the model's: enough to judge whether it is worth finishing.
 * @param {Controls} controls @param {number} seed @returns {Request} */
export const draft = (controls, seed) =>
  fromNothing({ ...controls, seed, quality: "fast", steps: null, guidance: null, sampler: null });

/** A draft at full quality, with the steps, guidance and LoRAs of the controls in place of those of quality fast.
 * @param {Request} draft @param {Controls} controls @returns {Request} */
export function finish(
  { quality, steps, scheduler, timestep_spacing, guidance, guidance_end, lora, ...rest },
  controls,
) {
  const { sampler } = controls;
  const full = {
    ...controls,
    model: null,
    ...(controls.quality === "fast" && {
      quality: "standard",
      ...(sampler && { sampler: null, steps: null, guidance: null }),
    }),
  };
  return {
    ...rest,
    ...qualityAndSteps(full),
    ...(full.guidance !== null && { guidance: full.guidance }),
    ...modelAndLoras(full),
  };
}

/** @param {Controls} controls @param {Reference} init @returns {Request} */
export const riff = (controls, init) => ({
  mode: "riff",
  prompt: controls.prompt,
  init,
  denoising: controls.denoising,
  ...denoisingFields(controls),
});

/** @param {Controls} controls @param {Reference} init @param {Box} mask @returns {Request} */
export const repaint = (controls, init, mask) => ({
  mode: "inpaint",
  prompt: controls.prompt,
  init,
  mask,
  ...denoisingFields(controls),
});

/** @param {Controls} controls @param {Reference} init @param {number} seconds @returns {Request} */
export const extend = (controls, init, seconds) => ({
  mode: "extend",
  prompt: controls.prompt,
  init,
  seconds,
  ...denoisingFields(controls),
});

/** @param {Controls} controls @param {Reference} init @returns {Request} */
export const loop = (controls, init) => ({ mode: "loop", prompt: controls.prompt, init, ...denoisingFields(controls) });

/** A clip of any length, re-rendered window by window to the prompt.
 * @param {Controls} controls @param {Reference} clip @returns {Request} */
export const audioToAudio = (controls, clip) => ({
  mode: "audio-to-audio",
  prompt: controls.prompt,
  clip,
  denoising: controls.denoising,
  ...denoisingFields(controls),
});

/** @param {Reference} image @param {string} [format] @returns {Request} */
export const imageToAudio = (image, format = "mp3") => ({ mode: "image-to-audio", image, format });

/** @param {Reference} clip @returns {Request} */
export const audioToImage = (clip) => ({ mode: "audio-to-image", clip });

/**
 * The interpolation between two clips, with the first as the init image.
 * @param {Controls} controls @param {{request: Request}} from @param {{request: Request}} to
 * @param {Reference} init @param {number} alpha 0–1
 * @returns {Request}
 */
export const blend = ({ quality, steps, denoising, model, lora }, from, to, init, alpha) => ({
  mode: "interpolate",
  start: { ...promptAndSeed(from.request), denoising },
  end: { ...promptAndSeed(to.request), denoising },
  init,
  alpha,
  ...qualityAndSteps({ quality, steps, sampler: null }),
  ...modelAndLoras({ model, lora }),
});

/** The prompt and seed of a request of any mode; of an interpolation, those of its end.
 * @param {Request} request @returns {{prompt: string, seed: number}} */
export function promptAndSeed(request) {
  const source = request.end ?? request;
  return { prompt: source.prompt ?? "", seed: source.seed ?? randomSeed() };
}

/** The same request with another seed; one of a mode without a seed is returned unchanged.
 * @param {Request} request @returns {Request} */
export function vary(request) {
  if (request.start && request.end) return { ...request, start: reseed(request.start), end: reseed(request.end) };
  return "seed" in request ? reseed(request) : request;
}

/** @template {Record<string, any>} T @param {T} fields */
const reseed = (fields) => ({ ...fields, seed: randomSeed() });
