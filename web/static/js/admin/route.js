/** The page's address: `#service`, `#jobs?status=failed`, `#job/<id>`, `#clients?client=…`, `#clips?index=…`, `#audit`. */

const VIEWS = ["service", "jobs", "job", "clients", "clips", "audit"];

/** @param {string} hash @returns {{view: string, id: string, query: Record<string, string>}} */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const [view, id = ""] = path.split("/");
  if (!VIEWS.includes(view) || (view === "job" && !id)) return { view: "service", id: "", query: {} };
  return { view, id: decodeURIComponent(id), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of jobs that match; without what is empty.
 * @param {Record<string, string>} query */
export function jobsHash(query) {
  const given = Object.entries(query).filter(([, value]) => value);
  return given.length ? `#jobs?${new URLSearchParams(given)}` : "#jobs";
}

/** @param {string} id */
export const jobHash = (id) => `#job/${encodeURIComponent(id)}`;

/** @param {string} client */
export const clientHash = (client) => `#clients?${new URLSearchParams({ client })}`;

/** @param {string} index */
export const clipsHash = (index) => `#clips?${new URLSearchParams({ index })}`;
