/** The LoRAs of the chosen model, each with a slider for its weight. At 0, the initial value, it is not applied. */

import { make } from "../ui/dom.js";

export class LoraSliders {
  /** @type {Map<string, {slider: HTMLInputElement, update: () => void}>} */
  #rows = new Map();

  /** @param {HTMLElement} root  fires "input" when a slider moves */
  constructor(root) {
    this.root = root;
  }

  /** Shows sliders for these LoRAs. One that was shown before keeps its weight.
   * @param {string[]} names */
  show(names) {
    const { weights } = this;
    this.root.hidden = !names.length;
    this.#rows.clear();
    const rows = names.map((name) => {
      const slider = make("input", { type: "range", min: "-2", max: "2", step: "0.01", value: "0" });
      const output = make("output");
      const update = () => {
        output.textContent = slider.valueAsNumber ? slider.value : "off";
        slider.setAttribute("aria-valuetext", output.textContent);
      };
      slider.setAttribute("list", "lora-marks");
      slider.addEventListener("input", update);
      this.#rows.set(name, { slider, update });
      return make("label", {}, make("span", { title: name }, name), slider, output);
    });
    this.root.replaceChildren(/** @type {Node} */ (this.root.firstElementChild), ...rows);
    this.weights = weights;
  }

  get names() {
    return [...this.#rows.keys()];
  }

  /** Weights other than 0 by name; null if there are none.
   * @returns {Record<string, number> | null} */
  get weights() {
    const all = [...this.#rows].map(([name, { slider }]) => /** @type {const} */ ([name, slider.valueAsNumber]));
    const applied = all.filter(([, weight]) => weight);
    return applied.length ? Object.fromEntries(applied) : null;
  }

  set weights(weights) {
    for (const [name, { slider, update }] of this.#rows) {
      slider.value = String(weights?.[name] ?? 0);
      update();
    }
  }
}
