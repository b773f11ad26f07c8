/** The visitor's API key. It stays in this browser and goes to nobody but this page's own API, in a header. */

const NAME = "api-key";

/** "" without one. */
export const apiKey = () => localStorage.getItem(NAME) ?? "";

/** Fires "keychange" at the window.
 * @param {string} key  "" takes it back */
export function setApiKey(key) {
  if (key) localStorage.setItem(NAME, key);
  else localStorage.removeItem(NAME);
  dispatchEvent(new Event("keychange"));
}

addEventListener("storage", ({ key }) => {
  if (key === NAME) dispatchEvent(new Event("keychange")); // another tab's
});
