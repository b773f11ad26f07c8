/** A server with scripted responses, which records what it is asked. */

import { createServer } from "node:http";

/**
 * @typedef {{method: string, path: string, headers: import("node:http").IncomingHttpHeaders, body: string}} Asked
 * @typedef {(response: import("node:http").ServerResponse, asked: Asked) => unknown} Reply
 */

/**
 * Runs a test with it. Each reply is used once, the last one from then on.
 * @param {Reply[]} replies
 * @param {(url: string, asked: Asked[]) => Promise<unknown>} use
 */
export async function withServer(replies, use) {
  /** @type {Asked[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const one = { method: String(request.method), path: String(request.url), headers: request.headers, body };
    asked.push(one);
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    reply?.(response, one);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    await use(`http://127.0.0.1:${port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** @param {unknown} body @param {number} [status] @param {Record<string, string>} [headers] @returns {Reply} */
export const json =
  (body, status = 200, headers = {}) =>
  (response) =>
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));

/** @param {string} code @param {number} status @param {Record<string, string>} [headers] */
export const refusal = (code, status, headers) =>
  json({ code, detail: `It is ${code}.`, request_id: "r1" }, status, {
    "Content-Type": "application/problem+json",
    ...headers,
  });

/** Closes the connection without a response. @type {Reply} */
export const hangUp = (response) => response.destroy();

/** @param {Partial<import("../../../web/static/js/client/schema.js").Job>} [fields] */
export const job = (fields) => ({ id: "j1", status: "queued", request: {}, result: null, error: null, ...fields });

/** @param {string} id @param {unknown} data */
export const event = (id, data) => `event: job\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** A stream that stays open after its parts, unless it is broken off.
 * @param {(string | Uint8Array)[]} parts @param {{breakOff?: boolean}} [options] @returns {Reply} */
export const stream =
  (parts, { breakOff = false } = {}) =>
  async (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const part of parts) {
      response.write(part);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (breakOff) response.destroy();
  };
