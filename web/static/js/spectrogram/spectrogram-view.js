/**
 * A spectrogram on the page: picture, axes in seconds, hertz and notes, values under the pointer, the playhead.
 * Fires "seek" with the seconds in `detail`.
 */

import { find, make } from "../ui/dom.js";
import { idlePicture } from "./idle-picture.js";
import { heightOf, hzAt, hzOfMidi, hzText, noteAt } from "./mel.js";
import { COLUMN_S, paint } from "./picture.js";

const HERTZ = [100, 200, 400, 800, 1500, 3000, 5000, 8000];
const OCTAVES = [36, 48, 60, 72, 84, 96, 108]; // MIDI numbers of the Cs
const NUDGE_S = 0.1;
const USUAL_WIDTH = 512;
const STEPS_S = [1, 2, 5, 10, 20, 30]; // between marks of the time axis,
const MIN_GAP_PX = 50; // which are at least this far apart

export class SpectrogramView extends EventTarget {
  /** @type {import("./picture.js").Picture | null} */
  picture = null;
  duration = 0;
  #idlePicture = idlePicture();
  #seekable = true;
  #time = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.root = root;
    this.plate = find(".plate", root);
    this.canvas = /** @type {HTMLCanvasElement} */ (find("canvas.picture", root));
    this.playhead = find(".playhead", root);
    this.box = find(".box", root);
    this.cross = find(".cross", root);
    this.reading = find(".reading", root);
    this.secondsAxis = find(".axis.seconds", root);
    this.#drawPitchAxes();
    this.plate.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.#hover(event));
    this.plate.addEventListener("pointerleave", () => this.root.classList.remove("hovering"));
    this.plate.addEventListener("click", (/** @type {PointerEvent} */ event) => this.#click(event));
    this.plate.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    addEventListener("themechange", () => this.redraw());
    new ResizeObserver(() => this.#drawTimeAxis()).observe(this.secondsAxis);
    this.show(null);
  }

  /** Columns of the picture. */
  get width() {
    return this.picture?.width ?? USUAL_WIDTH;
  }

  /** @param {import("./picture.js").Picture | null} picture @param {number} [duration] seconds of its sound */
  show(picture, duration) {
    this.picture = picture;
    this.duration = duration ?? this.width * COLUMN_S;
    this.root.classList.toggle("empty", !picture);
    this.#drawTimeAxis();
    this.redraw();
    this.time = 0;
  }

  /** Shows a frame around a part of the picture, or none.
   * @param {import("../api/requests.js").Box | null} box */
  showBox(box) {
    this.box.hidden = !box;
    if (!box) return;
    const [left, right] = box.seconds.map((s) => (s / this.duration) * 100);
    const [low, high] = box.hertz.map((hz) => heightOf(hz) * 100);
    Object.assign(this.box.style, {
      left: `${left}%`,
      width: `${right - left}%`,
      bottom: `${low}%`,
      height: `${high - low}%`,
    });
  }

  /** @param {{from: number, to: number}} [columns] */
  redraw(columns) {
    paint(this.picture ?? this.#idlePicture, this.canvas, columns);
  }

  /** Sends clicks and keys to a tool, or to the playhead.
   * @param {string | null} label  the tool's, for screen readers; null: the playhead */
  setTool(label) {
    this.#seekable = label === null;
    this.plate.setAttribute("role", label === null ? "slider" : "application");
    this.plate.setAttribute("aria-label", label ?? "Playhead");
    for (const name of ["valuemin", "valuemax", "valuenow", "valuetext"]) this.plate.removeAttribute(`aria-${name}`);
    this.#describePlayhead();
  }

  /** @param {number} seconds */
  set time(seconds) {
    this.#time = seconds;
    const fraction = this.duration ? Math.min(1, seconds / this.duration) : 0;
    this.playhead.style.translate = `${fraction * 100}%`;
    this.#describePlayhead();
  }

  /** Gives screen readers the playhead's position. */
  #describePlayhead() {
    if (!this.#seekable) return;
    const [now, end] = [this.#time.toFixed(1), this.duration.toFixed(1)];
    this.plate.setAttribute("aria-valuemin", "0");
    this.plate.setAttribute("aria-valuemax", end);
    this.plate.setAttribute("aria-valuenow", now);
    this.plate.setAttribute("aria-valuetext", `${now} of ${end} seconds`);
  }

  /** A pointer's position on the picture; `x` and `y` are within 0–1.
   * @param {PointerEvent} event */
  at(event) {
    const { left, top, width, height } = this.plate.getBoundingClientRect();
    const x = Math.min(1, Math.max(0, (event.clientX - left) / width));
    const y = Math.min(1, Math.max(0, 1 - (event.clientY - top) / height));
    return { x, y, seconds: x * this.duration, hz: hzAt(y) };
  }

  #drawPitchAxes() {
    const place = (/** @type {number} */ hz, /** @type {string} */ text) => {
      const mark = make("span", {}, text);
      mark.style.bottom = `${heightOf(hz) * 100}%`;
      return mark;
    };
    find(".axis.hertz", this.root).replaceChildren(
      ...HERTZ.map((hz) => place(hz, hz < 1000 ? `${hz}` : `${hz / 1000}k`)),
    );
    find(".axis.notes", this.root).replaceChildren(
      ...OCTAVES.slice(1).map((midi) => place(hzOfMidi(midi), `C${midi / 12 - 1}`)),
    );
  }

  #drawTimeAxis() {
    const perSecond = this.secondsAxis.clientWidth / this.duration;
    const every = STEPS_S.find((step) => step * perSecond >= MIN_GAP_PX) ?? 60;
    const marks = [];
    for (let second = 0; second <= this.duration + 0.001; second += every) {
      const mark = make("span", {}, second ? `${second}` : "0 s");
      mark.style.left = `${(second / (this.duration || 1)) * 100}%`;
      marks.push(mark);
    }
    this.secondsAxis.replaceChildren(...marks);
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    if (!this.picture) return;
    const { x, y, seconds, hz } = this.at(event);
    const note = noteAt(hz);
    const cents = note?.cents ? ` ${note.cents > 0 ? "+" : "−"}${Math.abs(note.cents)}¢` : "";
    this.root.classList.add("hovering");
    this.cross.style.setProperty("--x", `${x * 100}%`);
    this.cross.style.setProperty("--y", `${y * 100}%`);
    this.reading.textContent = `${seconds.toFixed(2)} s   ${note ? note.name + cents : "–"}   ${hzText(hz)}`;
  }

  /** @param {PointerEvent} event */
  #click(event) {
    if (this.#seekable && this.picture) this.#seek(this.at(event).seconds);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#seekable || !this.picture || event.target !== this.plate) return;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: this.#time - NUDGE_S,
      ArrowRight: this.#time + NUDGE_S,
      ArrowDown: this.#time - NUDGE_S,
      ArrowUp: this.#time + NUDGE_S,
      PageDown: this.#time - 1,
      PageUp: this.#time + 1,
      Home: 0,
      End: this.duration,
    };
    if (!(event.key in targets)) return;
    event.preventDefault();
    this.#seek(targets[event.key]);
  }

  /** @param {number} seconds */
  #seek(seconds) {
    this.dispatchEvent(new CustomEvent("seek", { detail: Math.min(this.duration, Math.max(0, seconds)) }));
  }
}
