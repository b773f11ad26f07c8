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
/** Every field but those that have no letters. */
const TYPING =
  "input:not([type=range], [type=radio], [type=checkbox], [type=button]), textarea, select, dialog, [contenteditable]";

/** Whether a key that was pressed is for a field in which one types.
 * @param {KeyboardEvent} event */
export const isTyping = (event) =>
  event.isComposing || Boolean(/** @type {Element} */ (event.target).closest?.(TYPING));

/** Keys on the drawn keyboard. */
export const KEYS = SEMITONES.size;

/**
 * @param {{press: (semitone: number) => void, release: (semitone: number) => void, shift: (octaves: number) => void,
 *   active: () => boolean}} keyboard
 */
export function listenToComputerKeys({ press, release, shift, active }) {
  addEventListener("keydown", (event) => {
    if (!active() || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event)) return;
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
