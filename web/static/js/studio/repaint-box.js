/**
 * The box to repaint, which is dragged over the spectrogram or typed as numbers.
 * @typedef {import("../api/requests.js").Box} Box
 */

import { hzAt } from "../spectrogram/mel.js";
import { find } from "../ui/dom.js";

const MIN_SIZE = 0.02; // of the spectrogram; a smaller drag is a click

export class RepaintBox extends EventTarget {
  /** @type {Box | null} */
  box = null;
  #active = false;

  /**
   * @param {import("../spectrogram/spectrogram-view.js").SpectrogramView} spectrogram
   * @param {HTMLElement} panel  with four number inputs
   */
  constructor(spectrogram, panel) {
    super();
    this.spectrogram = spectrogram;
    this.inputs = ["from-s", "to-s", "from-hz", "to-hz"].map((name) => find(`[name=${name}]`, panel));
    for (const input of this.inputs) input.addEventListener("change", () => this.#typed());
    spectrogram.plate.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#drag(event));
  }

  set active(on) {
    this.#active = on;
    this.spectrogram.showBox(on ? this.box : null);
    if (on && this.spectrogram.picture && !this.box) {
      const end = this.spectrogram.duration;
      this.set({ seconds: [end * 0.4, end * 0.7], hertz: [0, 10_000] });
    }
  }

  get active() {
    return this.#active;
  }

  /** @param {Box | null} box */
  set(box) {
    this.box = box;
    this.spectrogram.showBox(this.#active ? box : null);
    if (box) {
      const values = [box.seconds[0].toFixed(2), box.seconds[1].toFixed(2), ...box.hertz.map((hz) => hz.toFixed(0))];
      this.inputs.forEach((input, i) => {
        input.value = values[i];
      });
    }
    this.dispatchEvent(new Event("change"));
  }

  #typed() {
    const [from, to, low, high] = this.inputs.map((input) => input.valueAsNumber);
    const end = this.spectrogram.duration;
    const ordered = from < to && low < high && from >= 0 && to <= end + 0.01 && low >= 0 && high <= 10_000;
    for (const input of this.inputs) input.setAttribute("aria-invalid", String(!ordered));
    if (ordered) this.set({ seconds: [from, Math.min(to, end)], hertz: [low, high] });
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.#active || !this.spectrogram.picture || event.button !== 0) return;
    event.preventDefault();
    const { plate } = this.spectrogram;
    plate.setPointerCapture(event.pointerId);
    const start = this.spectrogram.at(event);
    const move = (/** @type {PointerEvent} */ e) => {
      const { x, y } = this.spectrogram.at(e);
      if (Math.abs(x - start.x) < MIN_SIZE || Math.abs(y - start.y) < MIN_SIZE) return;
      const end = this.spectrogram.duration;
      this.set({
        seconds: [Math.min(x, start.x) * end, Math.max(x, start.x) * end],
        hertz: [hzAt(Math.min(y, start.y)), hzAt(Math.max(y, start.y))],
      });
    };
    plate.addEventListener("pointermove", move);
    plate.addEventListener("pointerup", () => plate.removeEventListener("pointermove", move), { once: true });
  }
}
