/** Errors of the API. */

/** An error response of the API (RFC 9457), or code "offline" when there was no response. */
export class Problem extends Error {
  /** @param {number} status @param {any} body @param {number | null} retryAfter seconds */
  constructor(status, body, retryAfter = null) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.status = status;
    /** @type {string} */
    this.code = body.code ?? "internal";
    /** @type {{field: string, message: string}[]} */
    this.fields = body.errors ?? body.fields ?? [];
    this.retryAfter = retryAfter;
  }
}

/** Whether a retry may succeed: the server, its Redis or its storage could not be reached.
 * @param {unknown} error */
export const isTransient = (error) =>
  error instanceof Problem && ["offline", "store_unavailable", "storage_unavailable"].includes(error.code);
