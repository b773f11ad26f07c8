/**
 * The stage shows one clip: its picture and sound, its progress while it is made, or why it failed. Without a clip it
 * shows a hint. Fires "change" when the clip is another.
 * @typedef {import("../clips/history.js").Clip} Clip
 */

import { livePreview } from "../clips/live-preview.js";
import { origin, title } from "../clips/title.js";
import { COLUMN_S, ROWS, readPicture } from "../spectrogram/picture.js";
import { waitingAnimation } from "../spectrogram/waiting-animation.js";
import { find, make } from "../ui/dom.js";
import { CANCELED, placeInLine } from "../ui/messages.js";

const NOTICEABLE_S = 0.1; // previews are rounded to their own pixels
const WELCOME = "Type a few words and press Make, or choose Draw and paint.";

export class Stage extends EventTarget {
  /** @type {Clip | null} */
  clip = null;
  /** @type {ReturnType<typeof waitingAnimation> | null} */ #animation = null;
  /** @type {ReturnType<typeof livePreview> | null} */ #preview = null;

  /**
   * @param {import("../spectrogram/spectrogram-view.js").SpectrogramView} spectrogram
   * @param {import("../audio/player.js").Player} player
   * @param {import("../clips/clip-store.js").ClipStore} clipStore
   */
  constructor(spectrogram, player, clipStore) {
    super();
    this.spectrogram = spectrogram;
    this.player = player;
    this.clipStore = clipStore;
    this.notice = find("#notice");
    this.text = find("p", this.notice);
    this.bar = find("progress", this.notice);
    this.cancel = find("#cancel");
    clipStore.addEventListener("progress", (event) => {
      const { clip, job, trouble } = /** @type {CustomEvent} */ (event).detail;
      if (clip === this.clip) this.#progress(job, trouble);
    });
    this.#showNotice(WELCOME);
  }

  /** Shows a clip, whatever its state.
   * @param {Clip | null} clip @param {{play?: boolean}} [options] */
  async show(clip, { play = false } = {}) {
    this.#animation?.stop();
    this.#animation = null;
    this.clip = clip;
    this.spectrogram.showBox(null);
    this.player.load(null);
    this.dispatchEvent(new Event("change"));
    this.#caption();
    if (!clip) {
      this.spectrogram.show(null);
      this.#showNotice(WELCOME);
    } else if (clip.status === "pending") {
      await this.#pending(clip);
    } else if (clip.status === "failed") {
      this.spectrogram.show(null);
      this.#showNotice(clip.error ?? "", { wrong: clip.error !== CANCELED, again: true });
    } else {
      await this.#done(clip, play);
    }
  }

  #caption() {
    const { clip } = this;
    const parent = clip && this.clipStore.clips.get(clip.parents[0]);
    const from = parent ? origin(clip.verb, parent) : "";
    const loras = Object.entries(clip?.request.lora ?? {}).map(([name, weight]) => `${name} ${weight}`);
    const loraText = loras.length ? ` with ${loras.join(", ")}` : "";
    find("#caption").replaceChildren(clip ? title(clip.request) : "", make("span", {}, loraText + from));
    find("#remarks").textContent = clip?.remarks?.join(" ") ?? "";
  }

  /** @param {Clip} clip @param {boolean} play */
  async #done(clip, play) {
    const [picture, sound] = await Promise.all([
      readPicture(/** @type {Blob} */ (clip.png)),
      this.clipStore.sound(clip),
    ]);
    if (clip !== this.clip) return;
    this.#showNotice("");
    this.spectrogram.show(picture, sound.duration);
    this.player.load(sound);
    if (play) this.player.play();
  }

  /** @param {Clip} clip */
  async #pending(clip) {
    const parent = clip.parents.map((id) => this.clipStore.clips.get(id)).find((known) => known?.png);
    const source = parent?.png ? await readPicture(parent.png) : null;
    if (clip !== this.clip || clip.status !== "pending") return;
    this.spectrogram.show(null, source ? source.width * COLUMN_S : undefined);
    this.spectrogram.showBox(clip.request.mask ?? null);
    const animation = waitingAnimation(this.spectrogram.canvas, source);
    this.#animation = animation;
    this.#preview = livePreview((picture) => {
      if (animation !== this.#animation) return;
      this.#fitTime(picture);
      animation.preview(picture);
    });
    this.#progress(this.clipStore.jobs.get(clip.id));
  }

  /** Fits the time axis to a preview, which may be longer than what the clip starts from.
   * @param {import("../spectrogram/picture.js").Picture} preview */
  #fitTime({ width, height }) {
    const duration = (width / height) * ROWS * COLUMN_S;
    if (Math.abs(duration - this.spectrogram.duration) > NOTICEABLE_S) this.spectrogram.show(null, duration);
  }

  /** @param {import("../api/http.js").Job} [job] @param {string} [trouble] */
  #progress(job, trouble) {
    if (!this.#animation) return;
    if (job) void this.#preview?.(job);
    const { step = 0, total = 0 } = job?.progress ?? {};
    if (total) this.#animation.progress(step / total);
    const text = job?.status !== "running" ? placeInLine(job?.queue) : total ? `Step ${step} of ${total}` : "Starting";
    this.#showNotice(trouble ?? text, { done: total ? step / total : 0, waiting: true });
  }

  /** @param {string} text @param {{wrong?: boolean, again?: boolean, waiting?: boolean, done?: number}} [state] */
  #showNotice(text, { wrong = false, again = false, waiting = false, done = 0 } = {}) {
    this.text.textContent = text;
    this.notice.hidden = !text;
    this.notice.classList.toggle("wrong", wrong);
    this.notice.classList.toggle("waiting", waiting);
    this.bar.hidden = this.cancel.hidden = !waiting;
    this.bar.value = done;
    find("#again").hidden = !again;
  }
}
