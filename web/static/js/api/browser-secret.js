/** What this browser's clips belong to on a server that asks for no key: 128 random bits that are its own. */

const NAME = "secret";

/** The same on every day, for as long as the browser keeps it. */
export function secret() {
  const kept = localStorage.getItem(NAME);
  if (kept) return kept;
  const drawn = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
  localStorage.setItem(NAME, drawn.join(""));
  return drawn.join("");
}
