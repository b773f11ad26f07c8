/**
 * Says so where a page's style or script didn't arrive: it would look whole and do nothing. A classic script, before
 * everything that it watches.
 */
(() => {
  const assets = new URL("/assets/", location.href).href;
  let shown = false;

  /** @param {EventTarget | null} target */
  const isNeeded = (target) =>
    target instanceof HTMLLinkElement
      ? target.rel === "stylesheet" && target.href.startsWith(assets)
      : target instanceof HTMLScriptElement && target.type === "module" && target.src.startsWith(assets);

  function show() {
    const line = document.createElement("p");
    line.className = "trouble incomplete";
    line.setAttribute("role", "alert");
    line.textContent = "This page did not load completely. Reload it; if that doesn’t help, try again in a minute.";
    document.body.prepend(line);
  }

  const onError = (/** @type {Event} */ { target }) => {
    if (shown || !isNeeded(target)) return;
    shown = true;
    if (document.body) show();
    else addEventListener("DOMContentLoaded", show, { once: true });
  };
  addEventListener("error", onError, true); // errors of elements don't bubble
})();
