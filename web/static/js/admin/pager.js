/** Turns the pages of a list, by the buttons for the next page and for the first. */
export class Pager {
  /** The page that is shown; null is the first. @type {string | null} */
  cursor = null;
  /** @type {string | null} */
  #next = null;

  /** @param {HTMLElement} older @param {HTMLElement} newest @param {() => void} refresh  shows the page at `cursor` */
  constructor(older, newest, refresh) {
    this.older = older;
    this.newest = newest;
    const turn = (/** @type {string | null} */ cursor) => {
      this.cursor = cursor;
      refresh();
    };
    older.addEventListener("click", () => turn(this.#next));
    newest.addEventListener("click", () => turn(null));
  }

  /** Goes to the first page, which the caller shows. */
  reset() {
    this.cursor = null;
  }

  /** Offers what there is beside the page that is shown now. @param {string | null} next  cursor of the next page */
  show(next) {
    this.#next = next;
    this.older.hidden = next === null;
    this.newest.hidden = this.cursor === null;
  }
}
