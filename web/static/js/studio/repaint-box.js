/**
 * The box that Repaint works in: dragged over the stage, or typed as numbers. Both always show the same box.
 * @typedef {import("../api/requests.js").Box} Box
 */

import { find } from "../ui/dom.js";
import { hzAt } from "../spectrogram/mel.js";

const LEAST = 0.02; // of the stage: less is a click

export class BoxSelect extends EventTarget {
  /** @type {Box | null} */
  box = null;
  #active = false;

  /** @param {import("../spectrogram/spectrogram-view.js").Spectrogram} stage @param {HTMLElement} panel with four number inputs */
  constructor(stage, panel) {
    super();
    this.stage = stage;
    this.inputs = ["from-s", "to-s", "from-hz", "to-hz"].map((name) => find(`[name=${name}]`, panel));
    for (const input of this.inputs) input.addEventListener("change", () => this.#typed());
    stage.plate.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#drag(event));
  }

  set active(on) {
    this.#active = on;
    this.stage.enclose(on ? this.box : null);
    if (on && this.stage.picture && !this.box) {
      const end = this.stage.duration;
      this.set({ seconds: [end * 0.4, end * 0.7], hertz: [0, 10_000] });
    }
  }

  get active() {
    return this.#active;
  }

  /** @param {Box | null} box */
  set(box) {
    this.box = box;
    this.stage.enclose(this.#active ? box : null);
    if (box) {
      const values = [box.seconds[0].toFixed(2), box.seconds[1].toFixed(2), ...box.hertz.map((hz) => hz.toFixed(0))];
      this.inputs.forEach((input, i) => (input.value = values[i]));
    }
    this.dispatchEvent(new Event("change"));
  }

  #typed() {
    const [from, to, low, high] = this.inputs.map((input) => input.valueAsNumber);
    const end = this.stage.duration;
    const ordered = from < to && low < high && from >= 0 && to <= end + 0.01 && low >= 0 && high <= 10_000;
    for (const input of this.inputs) input.setAttribute("aria-invalid", String(!ordered));
    if (ordered) this.set({ seconds: [from, Math.min(to, end)], hertz: [low, high] });
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.#active || !this.stage.picture || event.button !== 0) return;
    event.preventDefault();
    const { plate } = this.stage;
    plate.setPointerCapture(event.pointerId);
    const start = this.stage.at(event);
    const move = (/** @type {PointerEvent} */ e) => {
      const { x, y } = this.stage.at(e);
      if (Math.abs(x - start.x) < LEAST || Math.abs(y - start.y) < LEAST) return;
      const end = this.stage.duration;
      this.set({
        seconds: [Math.min(x, start.x) * end, Math.max(x, start.x) * end],
        hertz: [hzAt(Math.min(y, start.y)), hzAt(Math.max(y, start.y))],
      });
    };
    plate.addEventListener("pointermove", move);
    plate.addEventListener("pointerup", () => plate.removeEventListener("pointermove", move), { once: true });
  }
}
