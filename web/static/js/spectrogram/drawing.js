/** Drawing on a spectrogram: brushes, a beat grid to snap to, undo, and a tone at the brush's pitch. */

import { PitchTone } from "../audio/pitch-tone.js";
import { find, make } from "../ui/dom.js";
import { dab } from "./brush.js";
import { hzAt } from "./mel.js";
import { drawNote } from "./note.js";
import { blank, copy } from "./picture.js";

/** The spectrogram's label for screen readers while it is drawn on. */
export const CANVAS_LABEL = "Canvas: arrow keys move the brush, space paints";

const [WIDTH, HEIGHT] = [512, 512];
const UNDO = 20;
const STEP = { coarse: 1 / 32, fine: 1 / 256 }; // of the picture, for the arrow keys

export class Drawing {
  /** Whether it has changed since it was last made into sound. */
  changed = false;
  /** How often it has changed. */
  edits = 0;
  #active = false;
  #tone = new PitchTone();
  /** @type {import("./picture.js").Picture[]} */ #past = [];
  #cursor = { x: 0, y: 0.4 };

  /** @param {import("./spectrogram-view.js").SpectrogramView} spectrogram @param {HTMLElement} panel */
  constructor(spectrogram, panel) {
    this.spectrogram = spectrogram;
    this.panel = panel;
    this.grid = find(".beats", spectrogram.root);
    this.pointer = find(".cursor", spectrogram.root);
    const { plate } = spectrogram;
    plate.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#stroke(event));
    plate.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    find("[name=bpm]", panel).addEventListener("input", () => this.#showGrid());
    find("[name=snap]", panel).addEventListener("change", () => this.#showGrid());
    find(".undo", panel).addEventListener("click", () => this.undo());
    find(".clear", panel).addEventListener("click", () => {
      this.saveForUndo();
      this.#show(blank(WIDTH, HEIGHT));
    });
  }

  get active() {
    return this.#active;
  }

  set active(on) {
    this.#active = on;
    this.pointer.hidden = true;
    this.#showGrid();
    // Drawing over a clip changes a copy of its picture.
    if (!on) return;
    const { picture } = this.spectrogram;
    this.#past = [];
    this.#show(picture ? copy(picture) : blank(WIDTH, HEIGHT));
    this.changed = !picture;
  }

  undo() {
    const last = this.#past.pop();
    if (last) this.#show(last);
  }

  /** @param {import("./picture.js").Picture} picture */
  #show(picture) {
    this.#edited();
    this.spectrogram.show(picture);
    find(".undo", this.panel).disabled = !this.#past.length;
  }

  #edited() {
    this.changed = true;
    this.edits++;
  }

  /** Draws a stretch of a note.
   * @param {import("../keys/note-pen.js").Note} note @param {import("../keys/note-pen.js").Columns} columns */
  note(note, columns) {
    drawNote(/** @type {import("./picture.js").Picture} */ (this.spectrogram.picture), note, columns);
    this.spectrogram.redraw(columns);
    this.#edited();
  }

  saveForUndo() {
    if (!this.spectrogram.picture) return;
    this.#past.push(copy(this.spectrogram.picture));
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

  /** Seconds of a sixteenth note while hits snap to the beat, else 0. */
  get #snap() {
    const bpm = find("[name=bpm]", this.panel).valueAsNumber;
    return find("[name=snap]", this.panel).checked && bpm >= 30 ? 15 / bpm : 0;
  }

  #showGrid() {
    const beat = this.#snap * 4;
    const marks = [];
    if (this.#active && beat) {
      for (let time = 0, n = 0; time < this.spectrogram.duration; time += beat, n++) {
        const line = make("i", n % 4 ? {} : { class: "bar" });
        line.style.left = `${(time / this.spectrogram.duration) * 100}%`;
        marks.push(line);
      }
    }
    this.grid.replaceChildren(...marks);
  }

  /** @param {number} x @param {import("./brush.js").Brush} brush */
  #snapped(x, brush) {
    const sixteenth = this.#snap;
    if (!sixteenth || brush.kind !== "hit") return x;
    return (Math.round((x * this.spectrogram.duration) / sixteenth) * sixteenth) / this.spectrogram.duration;
  }

  /** @param {PointerEvent} event */
  #stroke(event) {
    if (!this.#active || event.button !== 0) return;
    event.preventDefault();
    const { plate } = this.spectrogram;
    plate.setPointerCapture(event.pointerId);
    this.saveForUndo();
    const brush = this.#brush;
    let last = this.spectrogram.at(event);
    this.#line(brush, last, last);
    const move = (/** @type {PointerEvent} */ next) => {
      if (brush.kind === "hit") return;
      for (const point of next.getCoalescedEvents?.() ?? [next]) {
        const here = this.spectrogram.at(point);
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
    const picture = /** @type {import("./picture.js").Picture} */ (this.spectrogram.picture);
    const far = Math.hypot((b.x - a.x) * picture.width, (b.y - a.y) * picture.height);
    const dabs = Math.max(1, Math.ceil(far / Math.max(1, brush.size / 2)));
    const columns = { from: picture.width, to: 0 };
    for (let n = 1; n <= dabs; n++) {
      const x = a.x + ((b.x - a.x) * n) / dabs;
      const { from, to } = dab(picture, brush, this.#snapped(x, brush), a.y + ((b.y - a.y) * n) / dabs);
      columns.from = Math.min(columns.from, from);
      columns.to = Math.max(columns.to, to);
    }
    this.spectrogram.redraw(columns);
    this.#edited();
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
      this.saveForUndo();
      const end = { x: Math.min(1, this.#cursor.x + STEP.coarse), y: this.#cursor.y };
      this.#line(this.#brush, this.#cursor, end);
      this.#cursor = end;
      this.#tone.stop();
    }
  }
}
