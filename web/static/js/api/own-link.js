/** Links to files of this server, which begin with its public address, at the address that the visitor has come by. */

const { publicUrl } = document.documentElement.dataset;

/** The same file where this page may load it: a visitor of `localhost`, or of another name of the server, has no access
 * to its public address.
 * @param {string} url @returns {string} */
export const ownLink = (url) =>
  publicUrl && url.startsWith(`${publicUrl}/files/`) ? location.origin + url.slice(publicUrl.length) : url;
