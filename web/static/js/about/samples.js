/**
 * The about page's clips, made by `tools/make_about.py`: their pictures in small, and their sounds.
 * @typedef {{name: string, prompt: string, denoising?: number, duration: number}} Sample
 */

import { download, getJson } from "../api/http.js";
import { decode } from "../audio/context.js";
import { readPicture } from "../spectrogram/picture.js";
import { find } from "../ui/dom.js";

const { samples: folder } = find("article").dataset;
/** @type {Map<string, Promise<AudioBuffer>>} */
const decoded = new Map();

export const samples = {
  /** @returns {Promise<{example: Sample, denoising: Sample[], between: Sample[]}>} */
  index: () => getJson(`${folder}/index.json`),
  /** @param {Sample} sample */
  picture: async (sample) => readPicture(await download(`${folder}/${sample.name}.webp`)),
  /** @param {Sample} sample @returns {Promise<AudioBuffer>} */
  sound(sample) {
    const known = decoded.get(sample.name);
    if (known) return known;
    const coming = download(`${folder}/${sample.name}.mp3`).then(decode);
    decoded.set(sample.name, coming);
    return coming;
  },
};
