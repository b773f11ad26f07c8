/**
 * Drawing sound: brushes over the stage, a beat grid to snap to, undo, and a tone that follows the brush.
 */

import { dab } from "./brush.js";
import { find, make } from "../ui/dom.js";
import { hzAt } from "./mel.js";
import { blank, copy } from "./picture.js";
import { Tone } from "../audio/pitch-tone.js";

/** What the stage is called while it is drawn on. */
export const CANVAS = "Canvas: arrow keys move the brush, space paints";

const [WIDTH, HEIGHT] = [512, 512];
const UNDO = 20;
const STEP = { coarse: 1 / 32, fine: 1 / 256 }; // of the stage, for the arrow keys

export class Drawing {
  /** Whether it was changed since it was last heard. */
  touched = false;
  #active = false;
  #tone = new Tone();
  /** @type {import("./picture.js").Picture[]} */ #past = [];
  #cursor = { x: 0, y: 0.4 };

  /** @param {import("./spectrogram-view.js").Spectrogram} stage @param {HTMLElement} panel */
  constructor(stage, panel) {
    this.stage = stage;
    this.panel = panel;
    this.grid = find(".beats", stage.root);
    this.pointer = find(".cursor", stage.root);
    const { plate } = stage;
    plate.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#stroke(event));
    plate.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    find("[name=bpm]", panel).addEventListener("input", () => this.#rule());
    find("[name=snap]", panel).addEventListener("change", () => this.#rule());
    find(".undo", panel).addEventListener("click", () => this.undo());
    find(".clear", panel).addEventListener("click", () => {
      this.#remember();
      this.#show(blank(WIDTH, HEIGHT));
    });
  }

  get active() {
    return this.#active;
  }

  set active(on) {
    this.#active = on;
    this.pointer.hidden = true;
    this.#rule();
    // A clip on the stage is painted over in a copy: the clip itself stays what it was.
    if (!on) return;
    const { picture } = this.stage;
    this.#past = [];
    this.#show(picture ? copy(picture) : blank(WIDTH, HEIGHT));
    this.touched = !picture;
  }

  undo() {
    const last = this.#past.pop();
    if (last) this.#show(last);
  }

  /** @param {import("./picture.js").Picture} picture */
  #show(picture) {
    this.touched = true;
    this.stage.show(picture);
    find(".undo", this.panel).disabled = !this.#past.length;
  }

  #remember() {
    if (!this.stage.picture) return;
    this.#past.push(copy(this.stage.picture));
    if (this.#past.length > UNDO) this.#past.shift();
    find(".undo", this.panel).disabled = false;
  }

  /** @returns {import("./brush.js").Brush} */
  get #brush() {
    return {
      kind: find("[name=brush]:checked", this.panel).value,
      size: find("[name=size]", this.panel).valueAsNumber,
      loudness: find("[name=loudness]", this.panel).valueAsNumber,
    };
  }

  /** Seconds of a sixteenth note when strokes snap to the beat, else 0. */
  get #snap() {
    const bpm = find("[name=bpm]", this.panel).valueAsNumber;
    return find("[name=snap]", this.panel).checked && bpm >= 30 ? 15 / bpm : 0;
  }

  #rule() {
    const beat = this.#snap * 4;
    const marks = [];
    if (this.#active && beat) {
      for (let time = 0, n = 0; time < this.stage.duration; time += beat, n++) {
        const line = make("i", n % 4 ? {} : { class: "bar" });
        line.style.left = `${(time / this.stage.duration) * 100}%`;
        marks.push(line);
      }
    }
    this.grid.replaceChildren(...marks);
  }

  /** @param {number} x @param {import("./brush.js").Brush} brush */
  #snapped(x, brush) {
    const sixteenth = this.#snap;
    if (!sixteenth || brush.kind !== "hit") return x;
    return (Math.round((x * this.stage.duration) / sixteenth) * sixteenth) / this.stage.duration;
  }

  /** @param {PointerEvent} event */
  #stroke(event) {
    if (!this.#active || event.button !== 0) return;
    event.preventDefault();
    const { plate } = this.stage;
    plate.setPointerCapture(event.pointerId);
    this.#remember();
    const brush = this.#brush;
    let last = this.stage.at(event);
    this.#line(brush, last, last);
    const move = (/** @type {PointerEvent} */ next) => {
      if (brush.kind === "hit") return;
      for (const point of next.getCoalescedEvents?.() ?? [next]) {
        const here = this.stage.at(point);
        this.#line(brush, last, here);
        last = here;
      }
    };
    plate.addEventListener("pointermove", move);
    const up = () => {
      plate.removeEventListener("pointermove", move);
      this.#tone.stop();
    };
    plate.addEventListener("lostpointercapture", up, { once: true });
  }

  /** @param {import("./brush.js").Brush} brush @param {{x: number, y: number}} a @param {{x: number, y: number}} b */
  #line(brush, a, b) {
    const picture = /** @type {import("./picture.js").Picture} */ (this.stage.picture);
    const far = Math.hypot((b.x - a.x) * picture.width, (b.y - a.y) * picture.height);
    const dabs = Math.max(1, Math.ceil(far / Math.max(1, brush.size / 2)));
    const touched = { from: picture.width, to: 0 };
    for (let n = 1; n <= dabs; n++) {
      const x = a.x + ((b.x - a.x) * n) / dabs;
      const { from, to } = dab(picture, brush, this.#snapped(x, brush), a.y + ((b.y - a.y) * n) / dabs);
      touched.from = Math.min(touched.from, from);
      touched.to = Math.max(touched.to, to);
    }
    this.stage.redraw(touched);
    this.touched = true;
    if (brush.kind === "brush" || brush.kind === "harmonics") this.#tone.at(hzAt(b.y), brush.kind, brush.loudness);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#active) return;
    const step = event.shiftKey ? STEP.fine : STEP.coarse;
    /** @type {Record<string, [number, number]>} */
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const from = { ...this.#cursor };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      this.#cursor.x = Math.min(1, Math.max(0, from.x + dx * step));
      this.#cursor.y = Math.min(1, Math.max(0, from.y + dy * step));
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else if (event.key !== " " && event.key !== "Enter") {
      return;
    }
    event.preventDefault();
    this.pointer.hidden = false;
    this.pointer.style.translate = `${this.#cursor.x * 100}% ${-this.#cursor.y * 100}%`;
    if (event.key === " " || event.key === "Enter") {
      this.#remember();
      const end = { x: Math.min(1, this.#cursor.x + STEP.coarse), y: this.#cursor.y };
      this.#line(this.#brush, this.#cursor, end);
      this.#cursor = end;
      this.#tone.stop();
    }
  }
}
