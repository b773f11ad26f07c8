/**
 * What the visitor plays into a jam. Notes are drawn onto the picture of the clip that is heard. At the end of its bars
 * they become a take: the next clips begin with that picture and keep the notes' pixels as they are, while the model paints
 * everything around them. Fires "take" when there is another take, and the clips that were made ahead are out of date;
 * and "change" when there is something to undo, or not any more.
 *
 * @typedef {import("../spectrogram/picture.js").Picture} Picture
 * @typedef {import("./loop-scheduler.js").Turn} Turn
 * @typedef {import("../api/requests.js").Reference} Reference
 * @typedef {{notes: Picture | null, levels: Map<Picture, Uint8ClampedArray>}} Before
 *   what there was before some notes: those that were played earlier, and the pictures that these were drawn onto
 */

import { upload } from "../api/http.js";
import { heardTime } from "../audio/context.js";
import { NotePen } from "../keys/note-pen.js";
import { drawNote } from "../spectrogram/note.js";
import { blank, copy, toPng } from "../spectrogram/picture.js";

export class PlayedNotes extends EventTarget {
  /** The number of the latest take; 0: nothing has been played. */
  take = 0;
  /** What is heard, and what follows. @type {Turn[]} */ #turns = [];
  /** Everything played, on an empty picture. @type {Picture | null} */ #notes = null;
  /** Whether something was played since the latest take. */
  #fresh = false;
  /** Whether no clip of the latest take has been heard. */
  #awaited = false;
  /** For each run of notes without a pause that no clip plays yet. @type {Before[]} */ #undoable = [];
  /** How many of those are in the latest take. */
  #taken = 0;
  /** Of the notes that are being played, once one is drawn. @type {Before | null} */ #run = null;
  /** What the latest take begins with. @type {Picture | null} */ #base = null;
  /** @type {(() => Promise<{init: Reference, mask: Reference}>) | null} */ #upload = null;

  /**
   * @param {import("../keys/keyboard.js").Keyboard} keyboard
   * @param {(picture: Picture, columns: import("../keys/note-pen.js").Columns) => void} redraw
   */
  constructor(keyboard, redraw) {
    super();
    this.redraw = redraw;
    const pen = new NotePen(
      () => this.#place(),
      (picture, note, columns) => this.#draw(picture, note, columns),
    );
    let following = false;
    const follow = () => {
      pen.advance();
      following = keyboard.playing;
      if (following) requestAnimationFrame(follow);
    };
    keyboard.addEventListener("press", (event) => {
      if (!following) this.#run = null;
      pen.press(/** @type {CustomEvent} */ (event).detail);
      if (!following) follow();
    });
    keyboard.addEventListener("release", (event) => pen.release(/** @type {CustomEvent} */ (event).detail));
  }

  /** Forgets everything: a jam begins or is over. */
  reset() {
    this.take = 0;
    this.#turns = [];
    this.#notes = this.#upload = this.#base = null;
    this.#fresh = this.#awaited = false;
    this.#forget(this.#undoable.length);
  }

  /** Whether nothing that was played is kept. */
  get empty() {
    return this.#notes === null;
  }

  /** Whether there are notes that no clip plays yet. */
  get canUndo() {
    return this.#undoable.length > 0;
  }

  /** Takes back the last of those, up to the pause before them. */
  undo() {
    const before = this.#undoable.pop();
    if (!before) return;
    this.#run = null;
    for (const [picture, levels] of before.levels) {
      picture.levels.set(levels);
      this.redraw(picture, { from: 0, to: picture.width });
    }
    this.#notes = before.notes;
    const { length } = this.#undoable;
    this.#fresh = length > this.#taken;
    if (length < this.#taken) {
      this.#taken = length;
      if (this.#notes && this.#base) this.#takeFrom(this.#base, this.#notes);
      else this.#upload = null;
      this.#next();
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Lets go of the notes, and of what they were played to. */
  clear() {
    if (!this.#notes) return;
    this.#notes = this.#upload = null;
    this.#fresh = false;
    this.#forget(this.#undoable.length);
    this.#next();
  }

  /** @param {Turn} turn  that will be heard next, instead of what was to be heard from then on */
  enter(turn) {
    this.#turns = [...this.#turns.filter(({ from }) => from < turn.from).slice(-2), turn];
    if (turn.clip.take === this.take) {
      this.#awaited = false;
      this.#forget(this.#taken);
    }
    setTimeout(() => this.#barLine(turn), Math.max(0, turn.from - heardTime()) * 1000);
  }

  /** What the next clip begins with, and what it keeps of that; null: nothing was played.
   * @returns {Promise<{init: Reference, mask: Reference} | null>} */
  async fields() {
    return (await this.#upload?.()) ?? null;
  }

  /** @param {Turn} turn  that is beginning */
  #barLine(turn) {
    const [heard, next] = this.#turns.slice(-2);
    // While a take isn't heard yet, later notes wait: a server that is slower than the bars would never finish any.
    if (next !== turn || !this.#fresh || this.#awaited || !this.#notes) return;
    this.#fresh = false;
    this.#taken = this.#undoable.length;
    this.#base = heard.clip.picture;
    this.#takeFrom(this.#base, this.#notes);
    this.#next();
  }

  /** @param {Picture} base  what the next clips begin with @param {Picture} notes  what they keep of that */
  #takeFrom(base, notes) {
    const [picture, kept] = [copy(base), stencil(notes)];
    /** @type {Promise<{init: Reference, mask: Reference}> | null} */
    let sent = null;
    this.#upload = () => {
      sent ??= uploadBoth(picture, kept).catch((error) => {
        sent = null; // the next clip tries again
        throw error;
      });
      return sent;
    };
  }

  /** @param {number} runs  of notes that can't be undone any more */
  #forget(runs) {
    this.#undoable.splice(0, runs);
    this.#taken = 0;
    this.#run = null;
    this.dispatchEvent(new Event("change"));
  }

  #next() {
    this.take++;
    this.#awaited = true;
    this.dispatchEvent(new Event("take"));
  }

  #place() {
    const now = heardTime();
    const turn = this.#turns.findLast(({ from }) => from <= now);
    if (!turn) return null;
    const { picture } = turn.clip;
    return { surface: picture, column: (((now - turn.at) / turn.period) % 1) * picture.width };
  }

  /** @param {Picture} picture @param {import("../keys/note-pen.js").Note} note
   * @param {import("../keys/note-pen.js").Columns} columns */
  #draw(picture, note, columns) {
    if (!this.#run) {
      this.#run = { notes: this.#notes && copy(this.#notes), levels: new Map() };
      this.#undoable.push(this.#run);
      this.dispatchEvent(new Event("change"));
    }
    if (!this.#run.levels.has(picture)) this.#run.levels.set(picture, picture.levels.slice());
    if (this.#notes?.width !== picture.width) this.#notes = blank(picture.width, picture.height);
    drawNote(picture, note, columns);
    drawNote(this.#notes, note, columns);
    this.#fresh = true;
    this.redraw(picture, columns);
  }
}

/** A mask that keeps every pixel of the notes: as a PNG they are black.
 * @param {Picture} notes @returns {Picture} */
const stencil = (notes) => ({ ...notes, levels: notes.levels.map((level) => (level ? 255 : 0)) });

/** @param {Picture} picture @param {Picture} kept @returns {Promise<{init: Reference, mask: Reference}>} */
async function uploadBoth(picture, kept) {
  // One after the other: a server takes one upload of a visitor at a time.
  const send = async (/** @type {Picture} */ image) => (await upload(await toPng(image), "keys.png")).id;
  const init = await send(picture);
  const mask = await send(kept);
  return { init: { upload: init }, mask: { upload: mask } };
}
