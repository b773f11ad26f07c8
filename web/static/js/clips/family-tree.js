/** Where clips stand in the lineage: each to the right of the one that it was made from. */

/** @typedef {import("./history.js").Clip} Clip */

/**
 * Columns by generation, rows by branch, the newest family first. Clips without parents or children share rows.
 * @param {Clip[]} clips oldest first
 * @param {number} across  clips in a row at most
 * @returns {{places: Map<string, {x: number, y: number}>, columns: number, rows: number}}
 */
export function layOut(clips, across) {
  const ids = new Set(clips.map(({ id }) => id));
  /** @type {Map<string, Clip[]>} */
  const children = new Map();
  const roots = [];
  for (const clip of clips) {
    const parent = clip.parents.find((id) => ids.has(id));
    if (parent === undefined) roots.push(clip);
    else children.set(parent, [...(children.get(parent) ?? []), clip]);
  }
  const places = new Map();
  let [rows, columns, singles] = [0, 0, 0];
  /** @param {Clip} clip @param {number} x */
  const place = (clip, x) => {
    places.set(clip.id, { x, y: rows });
    columns = Math.max(columns, x + 1);
    (children.get(clip.id) ?? []).forEach((child, n) => {
      if (n) rows++;
      place(child, x + 1);
    });
  };
  const endRow = () => {
    rows += singles ? 1 : 0;
    singles = 0;
  };
  for (const root of roots.toReversed()) {
    const family = children.has(root.id);
    if (family || singles === across) endRow();
    place(root, family ? 0 : singles++);
    if (family) rows++;
  }
  endRow();
  return { places, columns, rows };
}
