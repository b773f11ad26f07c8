/** The client of Riffusion's HTTP API, for browsers and node: `await new Client({ url }).run("church bells")`. */

/** @typedef {import("./schema.js").Request} Request */
/** @typedef {import("./schema.js").Job} JobState */
/** @typedef {import("./schema.js").Batch} BatchState */
/** @typedef {import("./problem.js").Code} Code */
/** @typedef {import("./client.js").ClientOptions} ClientOptions */
/** @typedef {import("./client.js").SubmitOptions} SubmitOptions */
/** @typedef {import("./transport.js").CallOptions} CallOptions */
/** @typedef {import("./webhooks.js").WebhookEvent} WebhookEvent */

export { Batch, BatchResult } from "./batch.js";
export { Client } from "./client.js";
export { Clip, RemoteFile } from "./clip.js";
export { Job } from "./job.js";
export { JobError, Problem, RequestError, UnavailableError } from "./problem.js";
export * as webhooks from "./webhooks.js";
