/** Times and ids for people. Ages are by the server's clock: `at` of a response, never the browser's. */

const UNITS = /** @type {const} */ ([
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
]);

/** @param {number} seconds */
export function duration(seconds) {
  for (const [size, unit] of UNITS) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return seconds < 10 ? `${Math.max(0, seconds).toFixed(1)} s` : `${Math.floor(seconds)} s`;
}

/** @param {string} from @param {string} to ISO times */
export const secondsBetween = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;

/** How long before `at` a time was, or how long after it that will be.
 * @param {string} time @param {string} at */
export function relative(time, at) {
  const seconds = secondsBetween(time, at);
  return seconds >= 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** The time of day, and the date where it is another than that of `at`.
 * @param {string} time @param {string} at */
export function clock(time, at) {
  const [then, now] = [new Date(time), new Date(at)];
  const hours = then.toLocaleTimeString("en-GB");
  return then.toDateString() === now.toDateString() ? hours : `${then.toLocaleDateString("en-CA")} ${hours}`;
}

/** The random part of an id, as much of it as distinguishes jobs.
 * @param {string} id */
export const shortId = (id) => (id.length > 22 ? id.slice(14, 22) : id);

/** @param {number} number @param {string} noun whose plural ends in s */
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** @param {number} number */
export function bytes(number) {
  const power = Math.min(Math.floor(Math.log2(Math.max(number, 1)) / 10), 4);
  return power
    ? `${(number / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB"][power]}`
    : count(number, "byte");
}
