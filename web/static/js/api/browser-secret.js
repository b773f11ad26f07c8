/** The owner of this browser's clips on a server that requires no key: 128 random bits. */

const NAME = "secret";

/** Created at the first call, and the same from then on. */
export function browserSecret() {
  const kept = localStorage.getItem(NAME);
  if (kept) return kept;
  const drawn = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
  localStorage.setItem(NAME, drawn.join(""));
  return drawn.join("");
}
