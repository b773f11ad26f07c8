/**
 * The prompt and its dials. Fires "go" and "four" when their buttons are pressed, and "change".
 * @typedef {"nothing" | "clip" | "seed"} From
 */

import { getJson } from "../api/http.js";
import { Problem } from "../api/problem.js";
import { promptAndSeed } from "../api/requests.js";
import { find, make } from "../ui/dom.js";
import { sourceHint } from "../ui/messages.js";
import { LoraSliders } from "./lora-sliders.js";
import { EXAMPLES, randomPrompt } from "./prompts.js";

const AGAIN_MS = 4000;

export class PromptForm extends EventTarget {
  #welcome = "";

  /** @param {HTMLFormElement} form */
  constructor(form) {
    super();
    this.form = form;
    this.fields = /** @type {Record<string, any>} */ (form.elements);
    this.prompt = /** @type {HTMLTextAreaElement} */ (find("#prompt", form));
    this.go = find("#go", form);
    this.trouble = find("#trouble", form);
    this.hint = find("#hint", form);
    this.#welcome = this.hint.textContent;
    this.loras = new LoraSliders(find("#loras", form));
    this.prompt.addEventListener("input", () => this.#promptChanged());
    this.prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.dispatchEvent(new Event("go"));
    });
    find("#four", form).addEventListener("click", () => this.dispatchEvent(new Event("four")));
    find("#dice", form).addEventListener("click", () => this.setPrompt(randomPrompt()));
    find("#examples", form).replaceChildren(
      ...EXAMPLES.map((text) => {
        const button = make("button", { type: "button" }, text);
        button.addEventListener("click", () => this.setPrompt(text));
        return button;
      }),
    );
    for (const name of ["denoising", "seed"])
      this.fields[name].addEventListener("input", () => this.#controlsChanged());
    this.loras.root.addEventListener("input", () => this.#controlsChanged());
    for (const name of ["model", "quality"])
      this.fields[name].addEventListener("input", () => {
        this.#showModelOptions();
        this.#forgetSampler(["steps", "guidance"]);
      });
    for (const name of ["steps", "guidance"])
      this.fields[name].addEventListener("input", () => this.#forgetSampler([]));
    for (const radio of this.fields.from) radio.addEventListener("change", () => this.#controlsChanged());
    addEventListener("serverup", () => this.#isTransient && this.showProblem(""));
    this.#controlsChanged();
    this.catalog = this.#loadCatalog();
  }

  /** The values of the dials.
   * @returns {import("../api/requests.js").Controls} */
  get controls() {
    const { negative, seed, quality, steps, guidance, width, denoising, model } = this.fields;
    return {
      prompt: this.prompt.value.trim(),
      negative: negative.value.trim(),
      seed: Number.isNaN(seed.valueAsNumber) ? null : seed.valueAsNumber,
      quality: quality.value,
      steps: Number.isNaN(steps.valueAsNumber) ? null : steps.valueAsNumber,
      guidance: Number.isNaN(guidance.valueAsNumber) ? null : guidance.valueAsNumber,
      sampler: this.#sampler,
      width: Number(width.value),
      denoising: denoising.valueAsNumber,
      model: model.value || null,
      lora: this.#samplerLoras || this.loras.weights ? { ...this.#samplerLoras, ...this.loras.weights } : null,
    };
  }

  /** The same; an empty prompt is first replaced by the example that the field shows.
   * @returns {import("../api/requests.js").Controls} */
  controlsWithPrompt() {
    if (!this.controls.prompt) {
      this.prompt.value = EXAMPLES[0];
      this.#promptChanged();
    }
    return this.controls;
  }

  /** @returns {From} */
  get from() {
    return this.fields.from.value;
  }

  set from(value) {
    this.fields.from.value = value;
    this.#controlsChanged();
  }

  /** @returns {string} */
  get seedImage() {
    return this.fields["seed-image"].value;
  }

  #jamming = false;

  /** A jam always starts from a beat. */
  set jamming(/** @type {boolean} */ yes) {
    this.#jamming = yes;
    this.#controlsChanged();
  }

  /** @type {"listen" | "repaint" | "draw"} */ #tool = "listen";

  /** A drawing is what a riff on it begins with, and a box what is repainted: there is nothing to choose. */
  set tool(/** @type {"listen" | "repaint" | "draw"} */ name) {
    this.#tool = name;
    this.#controlsChanged();
  }

  /** Whether there is a clip to start from. */
  set hasClip(/** @type {boolean} */ yes) {
    this.fields.from[1].disabled = !yes;
    if (!yes && this.from === "clip") this.from = "nothing";
  }

  /** @param {string} prompt */
  setPrompt(prompt) {
    this.prompt.value = prompt;
    this.#promptChanged();
    this.prompt.focus();
  }

  /** That of a recipe, where its quality no longer stands for it, until the visitor changes what belongs to it.
   * @type {import("../api/requests.js").Sampler | null} */
  #sampler = null;

  /** The LoRAs that it needs and that have no slider. @type {Record<string, number> | null} */
  #samplerLoras = null;

  /** @param {string[]} set  what `fill` has set beside it only because it was kept */
  #forgetSampler(set) {
    if (!this.#sampler) return;
    this.#sampler = this.#samplerLoras = null;
    for (const name of set) this.fields[name].value = "";
    this.#controlsChanged();
  }

  /** Sets every dial to the value of a recipe.
   * @param {Record<string, any>} request
   * @returns {string[]} the model and LoRAs that it names and the server doesn't have */
  fill(request) {
    const { prompt, seed } = promptAndSeed(request);
    this.setPrompt(prompt);
    const { negative, quality, steps, guidance, width, denoising, model } = this.fields;
    negative.value = request.negative_prompt ?? "";
    this.fields.seed.value = String(seed);
    quality.value = request.quality ?? "standard";
    if (quality.selectedIndex < 0) quality.value = "standard"; // one of a former version
    width.value = [512, 1024, 2048].includes(request.width) ? String(request.width) : "512";
    denoising.value = String(request.denoising ?? 0.75);
    model.value = [...model.options].some(({ value }) => value === request.model) ? request.model : "";
    this.#showModelOptions();
    const usual = this.#usual;
    const there = this.models.length && model.value === (request.model ?? "");
    this.#sampler = there ? otherSampler(request, usual) : null;
    const hidden = Object.entries(request.lora ?? {}).filter(([name]) => name in (usual.lora ?? {}));
    this.#samplerLoras = this.#sampler && hidden.length ? Object.fromEntries(hidden) : null;
    steps.value = request.steps === usual.steps && !this.#sampler ? "" : String(request.steps ?? "");
    guidance.value = request.guidance === usual.guidance && !this.#sampler ? "" : String(request.guidance ?? "");
    this.loras.weights = request.lora ?? null;
    if (request.init?.seed_image) {
      this.fields["seed-image"].value = request.init.seed_image;
      this.from = "seed";
    }
    this.#controlsChanged();
    if (!this.models.length) return []; // without a worker the server lists no models
    const available = [...this.models.map(({ name }) => name), ...this.loras.names, ...Object.keys(usual.lora ?? {})];
    return [request.model, ...Object.keys(request.lora ?? {})].filter((name) => name && !available.includes(name));
  }

  #isTransient = false;

  /** Shows an error below the prompt.
   * @param {string} text  "" clears it @param {boolean} [transient]  clear it when the server is back */
  showProblem(text, transient = false) {
    this.trouble.textContent = text;
    this.#isTransient = transient;
  }

  #promptChanged() {
    this.showProblem("");
    this.prompt.style.height = "auto";
    this.prompt.style.height = `${this.prompt.scrollHeight}px`;
    this.dispatchEvent(new Event("change"));
  }

  /** What the next clip begins with.
   * @returns {"nothing" | "clip" | "beat" | "drawing" | "box"} */
  get #source() {
    if (this.#jamming || (this.#tool === "listen" && this.from === "seed")) return "beat";
    if (this.#tool === "listen") return this.from === "clip" ? "clip" : "nothing";
    return this.#tool === "draw" ? "drawing" : "box";
  }

  #controlsChanged() {
    const { denoising } = this.fields;
    find("#denoising-dial output", this.form).textContent = `${Math.round(denoising.valueAsNumber * 100)} %`;
    find("#begin", this.form).hidden = this.#tool !== "listen" && !this.#jamming;
    this.fields["seed-image"].disabled = this.from !== "seed" && !this.#jamming;
    const source = this.#source;
    denoising.disabled = source === "nothing" || source === "box";
    this.hint.textContent = source === "nothing" ? this.#welcome : sourceHint(source, denoising.valueAsNumber);
    const set = [
      this.fields.seed.value && "seed fixed",
      this.loras.weights && "LoRA",
      this.#sampler && "sampler of the file",
    ].filter(Boolean);
    find("#settings summary", this.form).textContent = ["Settings", ...set].join(", ");
    this.dispatchEvent(new Event("change"));
  }

  /** The chosen model; undefined without a worker. */
  get #model() {
    const { model } = this.fields;
    return this.models.find(({ name, default: own }) => (model.value ? name === model.value : own));
  }

  /** What the chosen quality stands for with the chosen model; empty where that isn't known.
   * @returns {Partial<Preset>} */
  get #usual() {
    const preset = this.#model?.qualities[this.fields.quality.value];
    return { ...preset, guidance: preset?.guidance ?? this.#model?.guidance };
  }

  /** Shows the steps and the guidance of the chosen quality, and the LoRAs of the chosen model. */
  #showModelOptions() {
    const { steps, guidance } = this.fields;
    for (const [field, value] of [
      [steps, this.#usual.steps],
      [guidance, this.#usual.guidance],
    ])
      field.placeholder = value ? `auto, ${value}` : "auto";
    this.loras.show(this.#model?.loras ?? []);
    this.#controlsChanged();
  }

  /** Loads the server's beats and models, each until it has come. Without them the rest of the form works.
   * @returns {Promise<unknown>} the first try of both has ended */
  #loadCatalog() {
    return Promise.all([
      load("/seeds", ({ seeds }) => this.#showSeeds(seeds)),
      load("/models", ({ models }) => this.#showModels(models)),
    ]);
  }

  /** @param {Seed[]} seeds */
  #showSeeds(seeds) {
    const options = seeds.map(({ name, title, bpm }) =>
      make("option", { value: name }, `${title}, ${Math.round(bpm)} bpm`),
    );
    this.fields["seed-image"].replaceChildren(...options);
    this.seeds = seeds;
    this.fields.from[2].disabled = !seeds.length;
  }

  /** @param {PromptForm["models"]} models */
  #showModels(models) {
    this.models = models;
    this.fields.model.append(...models.map(({ name }) => make("option", { value: name }, name)));
    this.#showModelOptions();
  }

  /**
   * @typedef {import("../api/requests.js").Sampler
   *   & {steps: number, guidance?: number | null, lora: Record<string, number> | null}} Preset
   * @type {{name: string, default: boolean, guidance: number | null, loras: string[], qualities: Record<string, Preset>}[]}
   */
  models = [];

  /** @typedef {{name: string, title: string, bpm: number, bars: number, beats_per_bar: number}} Seed
   * @type {Seed[] | undefined} */
  seeds;
}

/** Loads something for a page, again and again until it has come.
 * @param {string} path @param {(value: any) => void} show
 * @returns {Promise<void>} the first try has ended */
async function load(path, show) {
  try {
    show(await getJson(path));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    setTimeout(() => void load(path, show), AGAIN_MS * (1 + Math.random()));
  }
}

/** The sampler of a recipe with one guidance; null if it is that of its quality.
 * @param {Record<string, any>} request @param {Partial<import("../api/requests.js").Sampler>} usual
 * @returns {import("../api/requests.js").Sampler | null} */
function otherSampler({ scheduler, timestep_spacing = null, guidance = null, guidance_end = null }, usual) {
  if (!scheduler || guidance === null) return null;
  const same =
    scheduler === usual.scheduler &&
    timestep_spacing === (usual.timestep_spacing ?? null) &&
    (guidance <= 1 || (guidance_end ?? 1) === (usual.guidance_end ?? 1));
  return same ? null : { scheduler, timestep_spacing, guidance_end };
}
