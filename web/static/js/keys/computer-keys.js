/** A computer's keyboard as a piano's: the two upper rows of letters from A, by position, whatever is printed on them. */

/** Semitones above the lowest key, by `KeyboardEvent.code`. */
const SEMITONES = new Map(
  [
    ...["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ"],
    ...["KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"],
  ].map((code, semitone) => [code, semitone]),
);
const OCTAVES = new Map([
  ["KeyZ", -1],
  ["KeyX", 1],
]);
/** Where letters are typed: every field but those that have none. */
const TYPING =
  "input:not([type=range], [type=radio], [type=checkbox], [type=button]), textarea, select, dialog, [contenteditable]";

/** Keys on the drawn keyboard. */
export const KEYS = SEMITONES.size;

/**
 * @param {{press: (semitone: number) => void, release: (semitone: number) => void, shift: (octaves: number) => void,
 *   active: () => boolean}} keyboard
 */
export function listenToComputerKeys({ press, release, shift, active }) {
  addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!active() || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.isComposing || target.closest?.(TYPING)) return;
    const semitone = SEMITONES.get(event.code);
    const octaves = OCTAVES.get(event.code);
    if (semitone !== undefined) press(semitone);
    else if (octaves !== undefined) shift(octaves);
    else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    const semitone = SEMITONES.get(event.code);
    if (semitone !== undefined) release(semitone);
  });
}
