/** Lists that change while they are looked at. */

/** @type {WeakMap<Element, Map<string, any>>} */
const shown = new WeakMap();

/**
 * Makes the children of an element those of `items`. A child stays for as long as its key does, with focus and selection.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => any} create  an element
 * @param {(element: any, item: T) => void} update  also called after `create`
 */
export function keyedList(parent, items, keyOf, create, update) {
  const before = shown.get(parent) ?? new Map();
  const after = new Map(items.map((item) => [keyOf(item), before.get(keyOf(item)) ?? create(item)]));
  for (const [key, element] of before) if (!after.has(key)) element.remove();
  /** @type {Element | null} */
  let next = parent.firstElementChild;
  for (const item of items) {
    const element = after.get(keyOf(item));
    update(element, item);
    if (element === next) next = element.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  shown.set(parent, after);
}
