/** The owner of this browser's clips on a server that requires no key: 128 random bits. */

import { randomBits } from "./random-bits.js";

const NAME = "secret";

/** Created at the first call, and the same from then on. */
export function browserSecret() {
  const kept = localStorage.getItem(NAME);
  if (kept) return kept;
  const drawn = randomBits();
  localStorage.setItem(NAME, drawn);
  return drawn;
}
