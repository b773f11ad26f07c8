import assert from "node:assert/strict";
import { test } from "node:test";
import { colormap } from "../../web/static/js/spectrogram/colormap.js";

/** A page with a chosen theme, or one that follows the system.
 * @param {string | undefined} theme @param {boolean} systemIsDark */
function page(theme, systemIsDark = false) {
  Object.assign(globalThis, {
    document: { documentElement: { dataset: { theme } } },
    matchMedia: () => ({ matches: systemIsDark }),
  });
}

test("a map runs from the theme's background to its loudest colour", () => {
  page("dark");
  assert.deepEqual([colormap().length, colormap()[0], colormap()[255]], [256, 0xff130c0d, 0xffb0e9fd]);
  page("light");
  assert.deepEqual([colormap()[0], colormap()[255]], [0xfff3fafd, 0xff240d15]);
});

test("without a chosen theme it is the system's", () => {
  page("dark");
  const dark = colormap();
  page(undefined, true);
  assert.equal(colormap(), dark);
  page(undefined, false);
  assert.notEqual(colormap(), dark);
});
