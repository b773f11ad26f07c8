/** Helpers for the DOM. */

/**
 * The one element that a selector finds; a page without it has a bug in its template.
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {any}
 */
export function find(selector, root = document) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`There is no ${selector} on this page.`);
  return found;
}

/**
 * An element with properties and children; `class` and `aria-*`, `data-*` and `role` become attributes.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class" || name === "role" || name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Opens a dialog of buttons.
 * @param {HTMLDialogElement} dialog @returns {Promise<string>} the value of the button pressed; "" for none */
export function openDialog(dialog) {
  dialog.returnValue = "";
  // One with fields has this as no submit button, which Enter in a field would press.
  dialog.querySelector("button.never")?.addEventListener("click", () => dialog.close(), { once: true });
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

export const prefersReducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Saves bytes as a file on the visitor's disk.
 * @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
