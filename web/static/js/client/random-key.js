/** Random keys, also where a page has no secure context and where node keeps its WebCrypto in a module. */

/** 128 random bits. @returns {Promise<string>} */
export async function randomKey() {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const NODES = /** @type {string} */ ("node:crypto"); // not a literal: bundlers for browsers would look for it

/** Of browsers and node; node 18 has no global one. @returns {Promise<Crypto>} */
export const webCrypto = async () =>
  globalThis.crypto ?? (await import(/* webpackIgnore: true */ /* @vite-ignore */ NODES)).webcrypto;
