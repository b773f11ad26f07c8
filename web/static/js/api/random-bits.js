/** 128 random bits in hexadecimal. `crypto.randomUUID` isn't there on pages without TLS. */
export const randomBits = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
