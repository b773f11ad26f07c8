/**
 * The errors of the client: each is a `Problem` with a stable `code`, of one of three kinds.
 *
 * @typedef {import("./schema.js").Code | "offline" | "redirected" | "invalid_webhook"} Code
 * @typedef {{code?: string, detail?: string, title?: string, request_id?: string,
 *   errors?: import("./schema.js").FieldProblem[]}} Body  problem+json (RFC 9457)
 */

/** Whatever the server refused or could not do, or that it couldn't be reached. */
export class Problem extends Error {
  /** @param {number} status of the response, 0 without one @param {Body} body
   * @param {number | null} retryAfter seconds after which the server asks for the next try */
  constructor(status, body, retryAfter = null) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.name = new.target.name;
    this.status = status;
    /** What is wrong, for programs; stable between versions of the server.
     * @type {Code | (string & {})} */
    this.code = body.code ?? "internal";
    /** The invalid fields, if it is about fields.
     * @type {import("./schema.js").FieldProblem[]} */
    this.fields = body.errors ?? [];
    this.retryAfter = retryAfter;
    /** Finds the request in the server's log.
     * @type {string | null} */
    this.requestId = body.request_id ?? null;
  }
}

/** The request can't be served: sent again, it would be refused again. */
export class RequestError extends Problem {}

/** The server, or something it depends on, can't serve the request now; code "offline" when it couldn't be reached. */
export class UnavailableError extends Problem {}

/** Why a job ended without a clip. */
export class JobError extends Problem {
  /** @param {import("./schema.js").Job} job */
  constructor(job) {
    super(0, job.error ?? { code: "canceled", detail: `Job ${job.id} was canceled.` });
    this.job = job;
  }
}

/** Those that are repeated. */
const UNAVAILABLE = [429, 502, 503, 504];

/** The problem that a response with a status of 400 or above stands for.
 * @param {Response} response @param {Body} body {} where it isn't JSON */
export function problemOf({ status, headers }, body) {
  const retryAfter = seconds(headers.get("Retry-After"));
  if (UNAVAILABLE.includes(status)) return new UnavailableError(status, { code: "unavailable", ...body }, retryAfter);
  if (status < 500) return new RequestError(status, { code: "bad_request", ...body }, retryAfter);
  return new Problem(status, body, retryAfter);
}

/** The value of `Retry-After` (RFC 9110, 10.2.3), a number of seconds or a date; null without one.
 * @param {string | null} value */
function seconds(value) {
  if (!value) return null;
  const given = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(given) ? Math.max(given, 0) : null;
}
