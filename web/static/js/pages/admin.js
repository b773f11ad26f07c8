/** The operators' page: sign-in, one live view at a time, and whether what it shows is current. */

import { AuditView } from "../admin/audit-view.js";
import { ClientsView } from "../admin/clients-view.js";
import { ClipsView } from "../admin/clips-view.js";
import { JobView } from "../admin/job-view.js";
import { JobsView } from "../admin/jobs-view.js";
import { Live } from "../admin/live.js";
import { operatorKey, setOperatorKey } from "../admin/operator-key.js";
import { parseRoute } from "../admin/route.js";
import { ServiceView } from "../admin/service-view.js";
import { Problem } from "../api/problem.js";
import { find } from "../ui/dom.js";

const page = { attempt, report, refresh: () => live?.refresh() };
const views = {
  service: new ServiceView(page),
  jobs: new JobsView(page),
  job: new JobView(page),
  clients: new ClientsView(page),
  clips: new ClipsView(page),
  audit: new AuditView(page),
};

/** @type {Live<any> | null} */
let live = null;
let lastTime = "";
let busy = false;

/** @param {string} message */
function report(message) {
  find("#outcome").textContent = message;
}

/** Runs an action, one at a time, and says what it did or why it couldn't.
 * @param {() => Promise<string>} action */
async function attempt(action) {
  if (busy) return;
  busy = true;
  try {
    const message = await action();
    if (message) report(message);
  } catch (error) {
    report(explain(error));
    if (isRefused(error)) signOut(explain(error));
    if (!(error instanceof Problem)) reportError(error);
  } finally {
    busy = false;
    live?.refresh();
  }
}

/** @param {unknown} error */
const isRefused = (error) => error instanceof Problem && (error.status === 401 || error.status === 403);

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof Problem)) return "This page has a bug. Reload it.";
  return error.code === "offline" ? "The server can’t be reached." : error.message;
}

/** Opens the view that the address names. */
function open() {
  live?.stop();
  live = null;
  const signedIn = operatorKey() !== "";
  const route = parseRoute(location.hash);
  for (const [name, view] of Object.entries(views)) view.root.hidden = !signedIn || name !== route.view;
  find("#sign-in").hidden = signedIn;
  find("#live").hidden = !signedIn;
  find("#sign-out").hidden = !signedIn;
  find("#stale").hidden = true;
  for (const link of document.querySelectorAll(".masthead nav a")) {
    const here = link.getAttribute("href") === `#${route.view === "job" ? "jobs" : route.view}`;
    if (here && signedIn) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (signedIn) follow(/** @type {keyof typeof views} */ (route.view), route);
  else find("#key-field").focus();
}

/** @param {keyof typeof views} name @param {ReturnType<typeof parseRoute>} route */
function follow(name, route) {
  /** @type {any} */
  const view = views[name];
  view.open(route);
  const opened = new Live((signal) => view.read(signal), view.seconds);
  opened.addEventListener("current", (event) => {
    const found = /** @type {CustomEvent} */ (event).detail;
    view.show(found);
    if (found.at) lastTime = new Date(found.at).toLocaleTimeString("en-GB");
    setState(null);
  });
  opened.addEventListener("problem", (event) => {
    const error = /** @type {CustomEvent} */ (event).detail;
    if (isRefused(error)) signOut(explain(error));
    else setState(explain(error));
    if (!(error instanceof Problem)) reportError(error);
  });
  live = opened;
  opened.start();
}

/** Says whether what is shown is current, so that nobody takes old figures for new ones.
 * @param {string | null} trouble */
function setState(trouble) {
  const state = find("#live-state");
  const text = trouble ? "Not live" : "Live";
  if (state.textContent !== text) state.textContent = text;
  find("#live-time").textContent = lastTime;
  find("#live").classList.toggle("down", trouble !== null);
  find("#main").classList.toggle("stale", trouble !== null);
  const banner = find("#stale");
  const since = lastTime ? ` What you see is as of ${lastTime}.` : "";
  const warning = trouble ? `${trouble}${since} Trying again.` : "";
  if (banner.textContent !== warning) banner.textContent = warning;
  banner.hidden = !trouble;
}

/** @param {string} why */
function signOut(why) {
  setOperatorKey("");
  find("#key-trouble").textContent = why;
  open();
}

find("#key-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const field = find("#key-field");
  setOperatorKey(field.value.trim());
  field.value = "";
  find("#key-trouble").textContent = "";
  open();
});
find("#sign-out").addEventListener("click", () => signOut(""));
addEventListener("hashchange", () => {
  report("");
  open();
  if (operatorKey()) find(`#${parseRoute(location.hash).view}-view h1`).focus();
});
open();
