/**
 * Loads a page again whose style or scripts didn't all arrive, from a busy server for example: it would look whole and
 * do nothing. A classic script, before everything that it watches.
 */
(() => {
  const MOST = 3; // in a row
  const reloads = history.state?.reloads ?? 0; // which a reload keeps
  let failed = false;

  /** @param {string} text */
  const show = (text) => {
    if (!document.body) return addEventListener("DOMContentLoaded", () => show(text), { once: true });
    const line = document.createElement("p");
    line.className = "trouble incomplete";
    line.setAttribute("role", "alert");
    line.textContent = text;
    document.body.prepend(line);
  };

  const onError = (/** @type {Event} */ { target }) => {
    const needed =
      target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === "stylesheet");
    if (!needed || failed) return;
    failed = true;
    if (reloads === MOST) return show("This page is incomplete: the server is busy or away. Reload it in a minute.");
    show("This page is incomplete: the server is busy or away. Loading it again …");
    setTimeout(
      () => {
        history.replaceState({ reloads: reloads + 1 }, "");
        location.reload();
      },
      1000 * 2 ** reloads * (1 + Math.random()), // so that visitors don't return together
    );
  };
  addEventListener("error", onError, true); // such errors don't bubble
  addEventListener("load", () => !failed && reloads && history.replaceState(null, ""));
})();
