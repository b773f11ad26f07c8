/**
 * The prompt and its dials. Fires "go" and "four" when asked to make something.
 * @typedef {"nothing" | "clip" | "seed"} From
 */

import { getJson } from "../api/http.js";
import { find, make } from "../ui/dom.js";
import { Loras } from "./lora-sliders.js";
import { EXAMPLES, roll } from "./prompts.js";
import { voice } from "../api/requests.js";

export class Composer extends EventTarget {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    super();
    this.form = form;
    this.fields = /** @type {Record<string, any>} */ (form.elements);
    this.prompt = /** @type {HTMLTextAreaElement} */ (find("#prompt", form));
    this.go = find("#go", form);
    this.trouble = find("#trouble", form);
    this.loras = new Loras(find("#loras", form));
    this.prompt.addEventListener("input", () => this.#typed());
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
    find("#dice", form).addEventListener("click", () => this.write(roll()));
    find("#examples", form).replaceChildren(
      ...EXAMPLES.map((text) => {
        const button = make("button", { type: "button" }, text);
        button.addEventListener("click", () => this.write(text));
        return button;
      }),
    );
    for (const name of ["denoising", "seed"]) this.fields[name].addEventListener("input", () => this.#turned());
    this.loras.root.addEventListener("input", () => this.#turned());
    this.fields.model.addEventListener("input", () => this.#suit());
    for (const radio of this.fields.from) radio.addEventListener("change", () => this.#turned());
    addEventListener("back", () => this.#passing && this.complain(""));
    this.#turned();
    this.catalog = this.#catalog();
  }

  /** What the dials say.
   * @returns {import("../api/requests.js").Controls} */
  get controls() {
    const { negative, seed, steps, guidance, width, denoising, model } = this.fields;
    return {
      prompt: this.prompt.value.trim(),
      negative: negative.value.trim(),
      seed: Number.isNaN(seed.valueAsNumber) ? null : seed.valueAsNumber,
      steps: steps.valueAsNumber || 20,
      guidance: Number.isNaN(guidance.valueAsNumber) ? null : guidance.valueAsNumber,
      width: Number(width.value),
      denoising: denoising.valueAsNumber,
      model: model.value || null,
      lora: this.loras.weights,
    };
  }

  /** What the dials say; where no prompt was typed, with the example that the field shows.
   * @returns {import("../api/requests.js").Controls} */
  prompted() {
    if (!this.controls.prompt) {
      this.prompt.value = EXAMPLES[0];
      this.#typed();
    }
    return this.controls;
  }

  /** @returns {From} */
  get from() {
    return this.fields.from.value;
  }

  set from(value) {
    this.fields.from.value = value;
    this.#turned();
  }

  /** @returns {string} */
  get seedImage() {
    return this.fields["seed-image"].value;
  }

  #jamming = false;

  /** A jam always moves on a beat. */
  set jamming(/** @type {boolean} */ yes) {
    this.#jamming = yes;
    this.#turned();
  }

  /** Whether there is a clip to begin with. */
  set hasClip(/** @type {boolean} */ yes) {
    this.fields.from[1].disabled = !yes;
    if (!yes && this.from === "clip") this.from = "nothing";
  }

  /** @param {string} prompt */
  write(prompt) {
    this.prompt.value = prompt;
    this.#typed();
    this.prompt.focus();
  }

  /** Turns every dial to where a recipe had it.
   * @param {Record<string, any>} request
   * @returns {string[]} the model and LoRAs that it names and the server doesn't have */
  fill(request) {
    const { prompt, seed } = voice(request);
    this.write(prompt);
    const { negative, steps, guidance, width, denoising, model } = this.fields;
    negative.value = request.negative_prompt ?? "";
    this.fields.seed.value = String(seed);
    steps.value = String(request.steps ?? 20);
    guidance.value = String(request.guidance ?? "");
    width.value = [512, 1024, 2048].includes(request.width) ? String(request.width) : "512";
    denoising.value = String(request.denoising ?? 0.75);
    model.value = [...model.options].some(({ value }) => value === request.model) ? request.model : "";
    this.#suit();
    this.loras.weights = request.lora ?? null;
    if (request.init?.seed_image) {
      this.fields["seed-image"].value = request.init.seed_image;
      this.from = "seed";
    }
    this.#turned();
    if (!this.models.length) return []; // with no worker, nothing is known of what it could do
    const here = [...this.models.map(({ name }) => name), ...this.loras.names];
    return [request.model, ...Object.keys(request.lora ?? {})].filter((name) => name && !here.includes(name));
  }

  #passing = false;

  /** Says what went wrong, or clears it.
   * @param {string} text @param {boolean} [passing]  it is over when the server is back */
  complain(text, passing = false) {
    this.trouble.textContent = text;
    this.#passing = passing;
  }

  #typed() {
    this.complain("");
    this.prompt.style.height = "auto";
    this.prompt.style.height = `${this.prompt.scrollHeight}px`;
    this.dispatchEvent(new Event("change"));
  }

  #turned() {
    const { denoising } = this.fields;
    find("#stray-dial output", this.form).textContent = `${Math.round(denoising.valueAsNumber * 100)} %`;
    this.fields["seed-image"].disabled = this.from !== "seed" && !this.#jamming;
    denoising.disabled = this.from === "nothing" && !this.#jamming;
    const turned = [this.fields.seed.value && "seed fixed", this.loras.weights && "LoRA"].filter(Boolean);
    find("#settings summary", this.form).textContent = ["Settings", ...turned].join(", ");
    this.dispatchEvent(new Event("change"));
  }

  /** Offers what the chosen model has. */
  #suit() {
    const { model, guidance } = this.fields;
    const chosen = this.models.find(({ name, default: own }) => (model.value ? name === model.value : own));
    guidance.placeholder = chosen?.guidance ? `auto, ${chosen.guidance}` : "auto";
    this.loras.offer(chosen?.loras ?? []);
    this.#turned();
  }

  /** The server's beats and models; without them the rest still works. */
  async #catalog() {
    const [seeds, models] = await Promise.allSettled([getJson("/seeds"), getJson("/models")]);
    if (seeds.status === "fulfilled") {
      this.fields["seed-image"].replaceChildren(
        ...seeds.value.seeds.map((/** @type {any} */ seed) =>
          make("option", { value: seed.name }, `${seed.title}, ${Math.round(seed.bpm)} bpm`),
        ),
      );
      this.seeds = seeds.value.seeds;
    }
    this.fields.from[2].disabled = !this.seeds?.length;
    if (models.status === "fulfilled") {
      this.models = models.value.models;
      this.fields.model.append(...this.models.map(({ name }) => make("option", { value: name }, name)));
    }
    this.#suit();
  }

  /** @type {{name: string, default: boolean, guidance: number | null, loras: string[]}[]} */
  models = [];

  /** @type {{name: string, title: string, bpm: number, bars: number, beats_per_bar: number}[] | undefined} */
  seeds;
}
