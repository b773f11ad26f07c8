/**
 * The about page's clips, made by `tools/make_about.py`: small pictures first, sounds when they are asked for.
 * @typedef {{name: string, prompt: string, denoising?: number, duration: number}} Sample
 */

import { download, getJson } from "../api/http.js";
import { find } from "../ui/dom.js";
import { readPicture } from "../spectrogram/picture.js";
import { Player, decode } from "../audio/player.js";
import { Spectrogram } from "../spectrogram/spectrogram-view.js";

const { sounds: folder } = find("article").dataset;
/** @type {Map<string, Promise<AudioBuffer>>} */
const decoded = new Map();
/** @type {Player | null} */
let sounding = null;

export const sounds = {
  /** @returns {Promise<{example: Sample, stray: Sample[], between: Sample[]}>} */
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

/** A round button and its player; one of them sounds at a time.
 * @param {HTMLElement} section @param {() => Promise<AudioBuffer>} load @returns {Player} */
export function playButton(section, load) {
  const player = new Player();
  const button = find(".round", section);
  const [label] = [button.getAttribute("aria-label")];
  button.addEventListener("click", async () => {
    if (player.playing) return player.pause();
    if (sounding !== player) sounding?.pause();
    sounding = player;
    if (!player.ready) player.load(await load());
    player.play();
  });
  player.addEventListener("change", () => {
    button.classList.toggle("playing", player.playing);
    button.setAttribute("aria-label", player.playing ? "Pause" : label);
  });
  return player;
}

/** The playhead follows the player, and clicks seek.
 * @param {Player} player @param {Spectrogram} stage */
export function follow(player, stage) {
  const run = () => {
    stage.time = player.time;
    if (player.playing) requestAnimationFrame(run);
  };
  player.addEventListener("change", () => {
    stage.root.classList.toggle("playing", player.playing);
    run();
  });
  stage.addEventListener("seek", (event) => player.seek(/** @type {CustomEvent} */ (event).detail));
}

/**
 * Clips behind one dial: turning it changes picture and sound, and the music goes on from where it was.
 * @param {HTMLElement} section @param {Sample[]} samples @param {(sample: Sample) => string} say
 */
export function morph(section, samples, say) {
  const stage = new Spectrogram(find(".stage", section));
  const dial = /** @type {HTMLInputElement | null} */ (section.querySelector("input[type=range]"));
  const chosen = () => samples[dial ? dial.valueAsNumber : 0];
  const player = playButton(section, () => sounds.sound(chosen()));
  follow(player, stage);
  const show = async () => {
    const sample = chosen();
    const output = section.querySelector("output");
    if (output) output.textContent = say(sample);
    const picture = await sounds.picture(sample);
    if (sample === chosen()) stage.show(picture, sample.duration);
  };
  dial?.addEventListener("input", async () => {
    void show();
    const { time, playing, ready } = player;
    if (!ready) return;
    const sample = chosen();
    const sound = await sounds.sound(sample);
    if (sample !== chosen()) return;
    player.load(sound);
    if (playing) player.play(Math.min(time, sound.duration));
  });
  void show();
}
