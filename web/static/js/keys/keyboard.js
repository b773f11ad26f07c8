/**
 * The keyboard below the spectrogram: played by pointer, by the computer's keys and by MIDI. Each note sounds at once.
 * Fires "press" with a note ({ midi, loudness }) in `detail`, and "release" with its MIDI number.
 */

import { PitchTone } from "../audio/pitch-tone.js";
import { hzOfMidi, noteAt } from "../spectrogram/mel.js";
import { find, make } from "../ui/dom.js";
import { KEYS, listenToComputerKeys } from "./computer-keys.js";
import { connectMidi, hasMidi, readMessage } from "./midi.js";

const LOUDNESS = 0.85; // of keys that don't know how hard they are pressed
const [LOWEST, HIGHEST] = [36, 84]; // MIDI numbers of the first key: C2 to C6
const TAP_MS = 250; // a click by a screen reader has no length

/** @param {number} midi */
const nameOf = (midi) => /** @type {{name: string}} */ (noteAt(hzOfMidi(midi))).name;

export class Keyboard extends EventTarget {
  /** MIDI number of the first key. */
  #first = 60;
  /** @type {Map<number, PitchTone>} by MIDI number */ #sounding = new Map();
  /** @type {Map<number, number>} MIDI numbers of what the computer's keys hold, by semitone */ #typed = new Map();

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.root = root;
    this.keys = /** @type {HTMLElement[]} */ (Array.from({ length: KEYS }, (_, semitone) => this.#key(semitone)));
    find(".piano", root).replaceChildren(...this.keys);
    find(".lower", root).addEventListener("click", () => this.#shift(-1));
    find(".higher", root).addEventListener("click", () => this.#shift(1));
    find(".midi", root).addEventListener("click", () => this.#connect());
    find(".midi", root).hidden = !hasMidi();
    listenToComputerKeys({
      active: () => this.open,
      press: (semitone) => {
        this.#typed.set(semitone, this.#first + semitone);
        this.press({ midi: this.#first + semitone, loudness: LOUDNESS });
      },
      release: (semitone) => {
        this.release(this.#typed.get(semitone) ?? -1);
        this.#typed.delete(semitone);
      },
      shift: (octaves) => this.#shift(octaves),
    });
    addEventListener("blur", () => this.releaseAll());
    this.#shift(0);
  }

  get open() {
    return !this.root.hidden;
  }

  set open(yes) {
    if (!yes) this.releaseAll();
    this.root.hidden = !yes;
  }

  /** @param {import("./note-pen.js").Note} note */
  press(note) {
    if (!this.open || this.#sounding.has(note.midi)) return;
    const tone = new PitchTone();
    tone.at(hzOfMidi(note.midi), "harmonics", note.loudness);
    this.#sounding.set(note.midi, tone);
    this.keys[note.midi - this.#first]?.classList.add("held");
    this.dispatchEvent(new CustomEvent("press", { detail: note }));
  }

  /** @param {number} midi */
  release(midi) {
    const tone = this.#sounding.get(midi);
    if (!tone) return;
    tone.stop();
    this.#sounding.delete(midi);
    this.keys[midi - this.#first]?.classList.remove("held");
    this.dispatchEvent(new CustomEvent("release", { detail: midi }));
  }

  releaseAll() {
    for (const midi of [...this.#sounding.keys()]) this.release(midi);
  }

  /** Whether a key is held. */
  get playing() {
    return this.#sounding.size > 0;
  }

  /** Which keys to press, and what becomes of the notes.
   * @param {string} text */
  set hint(text) {
    find(".hint", this.root).textContent = text;
  }

  /** @param {string} text */
  set message(text) {
    const line = find(".message", this.root);
    if (line.textContent !== text) line.textContent = text;
  }

  /** A key of the drawn keyboard: one tab stop for all, arrow keys move between them.
   * @param {number} semitone */
  #key(semitone) {
    const black = [1, 3, 6, 8, 10].includes(semitone % 12);
    const key = make("button", { type: "button", tabIndex: semitone ? -1 : 0, class: black ? "black" : "white" });
    // White keys are two columns wide; black ones stand between them.
    key.style.gridColumn = `${1 + semitone + Number(semitone % 12 > 4) + 2 * Math.floor(semitone / 12)} / span 2`;
    const midi = () => this.#first + semitone;
    key.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0) return;
      key.setPointerCapture(event.pointerId);
      const held = midi();
      this.press({ midi: held, loudness: LOUDNESS });
      key.addEventListener("lostpointercapture", () => this.release(held), { once: true });
    });
    key.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (event.detail) return; // a pointer's, which has been heard already
      const tapped = midi();
      this.press({ midi: tapped, loudness: LOUDNESS });
      setTimeout(() => this.release(tapped), TAP_MS);
    });
    key.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const next = step && this.keys[semitone + step];
      if (!next) return;
      event.preventDefault();
      key.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
    return key;
  }

  /** @param {number} octaves */
  #shift(octaves) {
    this.releaseAll();
    this.#first = Math.min(HIGHEST, Math.max(LOWEST, this.#first + 12 * octaves));
    this.keys.forEach((key, semitone) => {
      const name = nameOf(this.#first + semitone);
      key.setAttribute("aria-label", name);
      key.textContent = name.startsWith("C") && name.length === 2 ? name : "";
    });
    find(".lower", this.root).disabled = this.#first === LOWEST;
    find(".higher", this.root).disabled = this.#first === HIGHEST;
  }

  async #connect() {
    const receive = (/** @type {Uint8Array} */ message) => {
      const note = readMessage(message);
      if (note?.loudness) this.press(note);
      else if (note) this.release(note.midi);
    };
    const changed = (/** @type {string[]} */ names) => {
      this.releaseAll();
      this.message = names.length ? `Connected: ${names.join(", ")}.` : "No MIDI keyboard yet. Plug one in.";
    };
    try {
      await connectMidi(receive, changed);
    } catch {
      this.message =
        "The browser doesn’t let this page use MIDI keyboards. Allow it in the site’s settings, then try again.";
    }
  }
}
