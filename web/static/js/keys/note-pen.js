/**
 * Draws the notes that are held, column by column as the playhead passes.
 * @typedef {{midi: number, loudness: number}} Note  loudness: 0–1
 * @typedef {{from: number, to: number}} Columns  the first, and the one after the last
 */

/** 40 ms: a shorter sound has no pitch. */
const SHORTEST = 4;

/** @template {{width: number}} Surface  what is drawn on */
export class NotePen {
  /** @type {Map<number, {note: Note, surface: Surface, start: number, next: number}>} by MIDI number */ #held =
    new Map();

  /**
   * @param {() => {surface: Surface, column: number} | null} place  where the playhead is; null: nowhere
   * @param {(surface: Surface, note: Note, columns: Columns) => void} draw
   */
  constructor(place, draw) {
    this.place = place;
    this.draw = draw;
  }

  /** @param {Note} note */
  press(note) {
    const place = this.place();
    if (!place) return;
    const start = Math.min(Math.floor(place.column), place.surface.width - 1);
    this.#held.set(note.midi, { note, surface: place.surface, start, next: start });
  }

  /** @param {number} midi */
  release(midi) {
    const held = this.#held.get(midi);
    if (!held) return;
    this.advance();
    const end = Math.min(held.start + SHORTEST, held.surface.width);
    if (held.next < end) this.draw(held.surface, held.note, { from: held.next, to: end });
    this.#held.delete(midi);
  }

  /** Draws from where each note was drawn last to the playhead, which may have begun again, or be on another surface:
   * at its beginning, or where it would have been on the one before. */
  advance() {
    const place = this.place();
    if (!place) return;
    const column = Math.floor(place.column);
    for (const held of this.#held.values()) {
      if (column < held.next) {
        this.draw(held.surface, held.note, { from: held.next, to: held.surface.width });
        Object.assign(held, { surface: place.surface, start: 0, next: 0 });
      }
      if (column > held.next) this.draw(held.surface, held.note, { from: held.next, to: column });
      Object.assign(held, { surface: place.surface, next: column });
    }
  }
}
