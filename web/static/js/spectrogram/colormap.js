/**
 * Loudness to colour. Two maps, one a theme, each of even lightness. The quietest colour of a map is the page's background of
 * spectrograms, so that silence looks empty.
 */

const STOPS = {
  dark: ["#0d0c13", "#1f1740", "#52216b", "#98305f", "#d9513f", "#f59a3e", "#fde9b0"],
  light: ["#fdfaf3", "#f6ddb4", "#eba873", "#d2664f", "#93305a", "#4a1f5c", "#150d24"],
};

/** @param {string[]} stops @returns {Uint32Array} 256 little-endian RGBA pixels */
function build(stops) {
  const colours = stops.map((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)));
  const map = new Uint32Array(256);
  for (let level = 0; level < 256; level++) {
    const place = (level / 255) * (colours.length - 1);
    const low = Math.min(Math.floor(place), colours.length - 2);
    const [r, g, b] = [0, 1, 2].map((c) => colours[low][c] + (colours[low + 1][c] - colours[low][c]) * (place - low));
    map[level] = (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
  }
  return map;
}

const MAPS = { dark: build(STOPS.dark), light: build(STOPS.light) };

/** The current theme's map. */
export function colormap() {
  const { theme } = document.documentElement.dataset;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return dark ? MAPS.dark : MAPS.light;
}
