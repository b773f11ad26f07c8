/** Closes the sheets that open from a summary: on Escape, on a click elsewhere, and after a choice. */

const OPEN = "details.more[open]";

export function wireMenus() {
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    for (const sheet of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(OPEN))) {
      if (!sheet.contains(target) || target.closest(".menu button")) sheet.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const sheet = /** @type {HTMLDetailsElement | null} */ (document.querySelector(OPEN));
    if (event.key !== "Escape" || !sheet) return;
    sheet.open = false;
    sheet.querySelector("summary")?.focus();
  });
}
