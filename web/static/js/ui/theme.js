/** The theme: light, dark, or the system's. A classic script in the head, so that no page flashes in the wrong one. */
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("theme");
  if (chosen) root.dataset.theme = chosen;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const notify = () => dispatchEvent(new Event("themechange"));
  dark.addEventListener("change", notify);
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = () => button.setAttribute("aria-label", isDark() ? "Switch to light" : "Switch to dark");
    label();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
      label();
      notify();
    });
    addEventListener("themechange", label);
  });
})();
