/** The buttons that open and close the keyboard, one in each view that can be played. */

/**
 * @param {import("./keyboard.js").Keyboard} keyboard
 * @param {() => string | null} hint  what becomes of notes in the view that is shown; null: it can't be played
 * @returns {() => void} to be called when the view has changed
 */
export function wireKeyToggles(keyboard, hint) {
  const buttons = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[aria-controls=keys]"));
  let wanted = false;
  const update = () => {
    const text = hint();
    keyboard.open = wanted && text !== null;
    keyboard.hint = text ?? "";
    for (const button of buttons) button.setAttribute("aria-expanded", String(keyboard.open));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      wanted = !wanted;
      update();
    });
  }
  return update;
}
