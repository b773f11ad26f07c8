/**
 * Four drafts side by side, to hear and to finish. Fires "pick" and "finish" with the clip.
 * @typedef {import("../clips/history.js").Clip} Clip
 * @typedef {object} Tile
 * @property {HTMLElement} item
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} label
 * @property {ReturnType<typeof waitingAnimation> | null} animation
 * @property {ReturnType<typeof livePreview>} preview
 */

import { livePreview } from "../clips/live-preview.js";
import { paint, readPicture } from "../spectrogram/picture.js";
import { waitingAnimation } from "../spectrogram/waiting-animation.js";
import { make } from "../ui/dom.js";
import { placeInLine } from "../ui/messages.js";

export class FourIdeas extends EventTarget {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();

  /** @param {HTMLElement} root @param {import("../clips/clip-store.js").ClipStore} clipStore */
  constructor(root, clipStore) {
    super();
    this.root = root;
    clipStore.addEventListener("progress", (event) => this.#progress(/** @type {CustomEvent} */ (event).detail));
    clipStore.addEventListener("change", (event) => {
      const clip = /** @type {CustomEvent} */ (event).detail;
      if (clip) void this.#update(clip);
    });
    addEventListener("themechange", () => this.#tiles.forEach((_, id) => void this.#update(clipStore.clips.get(id))));
  }

  /** @param {Clip[]} clips */
  show(clips) {
    this.hide();
    this.root.hidden = false;
    for (const [n, clip] of clips.entries()) {
      const canvas = make("canvas", { width: 512, height: 512 });
      const label = make("span", { class: "state" });
      const play = make("button", { type: "button", class: "hear", "aria-label": `Play idea ${n + 1}` }, canvas, label);
      const finish = make("button", { type: "button", class: "primary", disabled: true }, "Finish this one");
      play.addEventListener("click", () => this.dispatchEvent(new CustomEvent("pick", { detail: clip })));
      finish.addEventListener("click", () => this.dispatchEvent(new CustomEvent("finish", { detail: clip })));
      const item = make("li", {}, play, finish);
      this.root.append(item);
      const animation = clip.status === "pending" ? waitingAnimation(canvas, null) : null;
      const preview = livePreview((picture) => {
        if (clip.status === "pending") animation?.preview(picture);
      });
      this.#tiles.set(clip.id, { item, canvas, label, animation, preview });
      void this.#update(clip);
    }
  }

  hide() {
    for (const { animation } of this.#tiles.values()) animation?.stop();
    this.#tiles.clear();
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  /** @param {{clip: Clip, job?: import("../api/http.js").Job}} event */
  #progress({ clip, job }) {
    const tile = this.#tiles.get(clip.id);
    if (!tile || !job) return;
    tile.label.textContent = job.status === "queued" ? placeInLine(job.queue) : "";
    void tile.preview(job);
    if (job.progress?.total) tile.animation?.progress(job.progress.step / job.progress.total);
  }

  /** @param {Clip | undefined} clip */
  async #update(clip) {
    const tile = clip && this.#tiles.get(clip.id);
    if (!tile || clip.status === "pending") return;
    tile.animation?.stop();
    tile.label.textContent = clip.error ?? "";
    if (!clip.png) return;
    paint(await readPicture(clip.png), tile.canvas);
    /** @type {HTMLButtonElement} */ (tile.item.lastElementChild).disabled = false;
  }
}
