/** The visitor's API key. It is kept in this browser and sent to this page's own API only, in a header. */

const NAME = "api-key";

/** "" without one. */
export const apiKey = () => localStorage.getItem(NAME) ?? "";

/** Fires "keychange" at the window.
 * @param {string} key  "" removes it */
export function setApiKey(key) {
  if (key) localStorage.setItem(NAME, key);
  else localStorage.removeItem(NAME);
  dispatchEvent(new Event("keychange"));
}

addEventListener("storage", ({ key }) => {
  if (key === NAME) dispatchEvent(new Event("keychange")); // changed in another tab
});
