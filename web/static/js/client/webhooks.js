/**
 * Receiving webhooks: Standard Webhooks 1.0, checked by WebCrypto.
 *
 * @typedef {{type: "job.succeeded" | "job.failed" | "job.canceled", timestamp: string,
 *   data: import("./schema.js").Job}} WebhookEvent
 * @typedef {Headers | Record<string, string | string[] | undefined>} GivenHeaders
 */

import { Problem } from "./problem.js";
import { webCrypto } from "./random-key.js";

const PREFIX = "whsec_";
const TOLERANCE_S = 300;

/**
 * What a webhook says, if it is the server's and new. Webhooks are delivered at least once: compare `webhook-id`.
 * @param {string | ArrayBuffer | Uint8Array} body  as it came in, byte for byte
 * @param {GivenHeaders} headers
 * @param {string} secret  `whsec_…`, shown with the API key
 * @returns {Promise<WebhookEvent>}
 * @throws {Problem} "invalid_webhook"
 */
export async function unwrap(body, headers, secret) {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) =>
    header(headers, `webhook-${name}`),
  );
  if (!id || !timestamp || !signatures) throw invalid("It has no webhook-id, webhook-timestamp or webhook-signature.");
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < TOLERANCE_S)) {
    throw invalid("It is older than five minutes, or a clock is wrong.");
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const signed = new Blob([`${id}.${timestamp}.`, bytes]);
  if (!(await isSigned(await signed.arrayBuffer(), signatures, secret))) {
    throw invalid("Its signature isn't of this secret and this body.");
  }
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** @param {GivenHeaders} headers @param {string} name */
function header(headers, name) {
  if (headers instanceof Headers) return headers.get(name);
  const found = Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
}

/** Whether one of the signatures is right: there are two while a secret is replaced.
 * @param {ArrayBuffer} signed @param {string} signatures @param {string} secret */
async function isSigned(signed, signatures, secret) {
  const { subtle } = await webCrypto();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await subtle.importKey("raw", fromBase64(secret.replace(PREFIX, "")), algorithm, false, ["verify"]);
  for (const each of signatures.split(" ")) {
    const [version, signature] = each.split(",");
    if (version !== "v1" || !signature) continue;
    const given = tryBase64(signature);
    if (given && (await subtle.verify("HMAC", key, given, signed))) return true;
  }
  return false;
}

/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** @param {string} text */
function tryBase64(text) {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}

/** @param {string} why */
const invalid = (why) =>
  new Problem(0, { code: "invalid_webhook", detail: `This is no webhook of the server. ${why}` });
