/** Errors of the API, as the pages meet them. */

import { Problem } from "../client/problem.js";

export { Problem };

/** Whether a retry may succeed: the server, its Redis or its storage could not be reached.
 * @param {unknown} error */
export const isTransient = (error) =>
  error instanceof Problem && ["offline", "store_unavailable", "storage_unavailable"].includes(error.code);
