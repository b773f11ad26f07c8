/**
 * Playing into a drawing: it runs as a loop, notes are drawn at the playhead, and at the end of each round the server
 * makes the sound of what has changed, which is heard as soon as it is there.
 */

import { finishedJob } from "../api/finished-job.js";
import { download, upload } from "../api/http.js";
import { imageToAudio } from "../api/requests.js";
import { audioContext, decode } from "../audio/context.js";
import { NotePen } from "../keys/note-pen.js";
import { COLUMN_S, toPng } from "../spectrogram/picture.js";
import { interruption } from "../ui/messages.js";

export class DrawnKeys {
  #pen;
  #column = 0;
  /** The drawing's number of edits at its latest sound. */
  #heard = 0;
  #rendering = false;

  /** @param {{keyboard: import("../keys/keyboard.js").Keyboard, drawing: import("../spectrogram/drawing.js").Drawing,
   *   spectrogram: import("../spectrogram/spectrogram-view.js").SpectrogramView,
   *   player: import("../audio/player.js").Player}} parts */
  constructor(parts) {
    this.parts = parts;
    const { keyboard, drawing, player } = parts;
    this.#pen = new NotePen(
      () => this.#place(),
      (_, note, columns) => drawing.active && drawing.note(note, columns),
    );
    keyboard.addEventListener("press", (event) => {
      if (!this.on) return;
      if (!player.playing) this.start();
      drawing.saveForUndo();
      this.#pen.press(/** @type {CustomEvent} */ (event).detail);
    });
    keyboard.addEventListener("release", (event) => this.#pen.release(/** @type {CustomEvent} */ (event).detail));
    player.addEventListener("change", () => {
      if (this.on && player.playing) this.#follow();
    });
  }

  get on() {
    return this.parts.keyboard.open && this.parts.drawing.active;
  }

  /** Starts the loop; what has no sound yet is silent. */
  start() {
    const { player, spectrogram } = this.parts;
    if (!player.ready) player.load(silence(spectrogram.duration));
    player.loop = true;
    player.play();
  }

  #following = false;

  #follow() {
    if (this.#following) return;
    this.#following = true;
    const step = () => {
      this.#following = this.on && this.parts.player.playing;
      if (!this.#following) return;
      this.#pen.advance();
      const column = this.#place()?.column ?? 0;
      if (column < this.#column) void this.#render();
      this.#column = column;
      requestAnimationFrame(step);
    };
    step();
  }

  #place() {
    const { spectrogram, player } = this.parts;
    const { picture } = spectrogram;
    return this.on && picture && player.ready ? { surface: spectrogram, column: player.heard / COLUMN_S } : null;
  }

  async #render() {
    const { spectrogram, drawing, player, keyboard } = this.parts;
    const { picture } = spectrogram;
    const { edits } = drawing;
    if (!picture || this.#rendering || !drawing.changed || edits === this.#heard) return;
    this.#rendering = true;
    const abandoned = new AbortController();
    try {
      const sound = await this.#sound(picture, abandoned);
      if (!this.on) return;
      player.replace(sound);
      this.#heard = edits;
      keyboard.message = "";
    } catch (error) {
      if (this.on) keyboard.message = interruption(error); // the next round tries again
    } finally {
      this.#rendering = false;
    }
  }

  /** @param {import("../spectrogram/picture.js").Picture} picture @param {AbortController} abandoned */
  async #sound(picture, abandoned) {
    if (!picture.levels.some((level) => level)) return silence(picture.width * COLUMN_S);
    const { id } = await upload(await toPng(picture), "keys.png");
    const job = await finishedJob(imageToAudio({ upload: id }), abandoned.signal, () => this.on || abandoned.abort());
    return decode(await download(job.result.audio.url));
  }
}

/** @param {number} seconds */
function silence(seconds) {
  const { sampleRate } = audioContext();
  return new AudioBuffer({ length: Math.round(seconds * sampleRate), sampleRate });
}
