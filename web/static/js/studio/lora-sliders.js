/** The LoRAs that the chosen model can wear, each with a slider for how strong; at 0, where all begin, it takes no part. */

import { make } from "../ui/dom.js";

export class Loras {
  /** @type {Map<string, {slider: HTMLInputElement, show: () => void}>} */
  #offered = new Map();

  /** @param {HTMLElement} root  fires "input" when a slider moves */
  constructor(root) {
    this.root = root;
  }

  /** Those that keep their name keep their weight.
   * @param {string[]} names */
  offer(names) {
    const { weights } = this;
    this.root.hidden = !names.length;
    this.#offered.clear();
    const rows = names.map((name) => {
      const slider = make("input", { type: "range", min: "-2", max: "2", step: "0.01", value: "0" });
      const output = make("output");
      const show = () => {
        output.textContent = slider.valueAsNumber ? slider.value : "off";
        slider.setAttribute("aria-valuetext", output.textContent);
      };
      slider.setAttribute("list", "lora-marks");
      slider.addEventListener("input", show);
      this.#offered.set(name, { slider, show });
      return make("label", {}, make("span", { title: name }, name), slider, output);
    });
    this.root.replaceChildren(/** @type {Node} */ (this.root.firstElementChild), ...rows);
    this.weights = weights;
  }

  get names() {
    return [...this.#offered.keys()];
  }

  /** By name, of those that take part; null of none.
   * @returns {Record<string, number> | null} */
  get weights() {
    const all = [...this.#offered].map(([name, { slider }]) => /** @type {const} */ ([name, slider.valueAsNumber]));
    const worn = all.filter(([, weight]) => weight);
    return worn.length ? Object.fromEntries(worn) : null;
  }

  set weights(weights) {
    for (const [name, { slider, show }] of this.#offered) {
      slider.value = String(weights?.[name] ?? 0);
      show();
    }
  }
}
