/** The operator's API key. It can change what everyone has made, so it is kept for this tab only. */

const NAME = "operator-key";

/** "" without one. */
export const operatorKey = () => sessionStorage.getItem(NAME) ?? "";

/** @param {string} key  "" removes it */
export function setOperatorKey(key) {
  if (key) sessionStorage.setItem(NAME, key);
  else sessionStorage.removeItem(NAME);
}
