/**
 * Four drafts side by side on the stage: hear each, finish the one you like. Fires "pick" and "finish" with the clip.
 * @typedef {import("../clips/history.js").Clip} Clip
 */

import { make } from "../ui/dom.js";
import { denoise } from "../spectrogram/waiting-animation.js";
import { placeInLine } from "../ui/messages.js";
import { paint, readPicture } from "../spectrogram/picture.js";

export class Ideas extends EventTarget {
  /** @type {Map<string, {item: HTMLElement, canvas: HTMLCanvasElement, wait: ReturnType<typeof denoise> | null, label: HTMLElement}>} */
  #tiles = new Map();

  /** @param {HTMLElement} root @param {import("../clips/clip-store.js").Workshop} workshop */
  constructor(root, workshop) {
    super();
    this.root = root;
    workshop.addEventListener("progress", (event) => this.#progress(/** @type {CustomEvent} */ (event).detail));
    workshop.addEventListener("change", (event) => {
      const clip = /** @type {CustomEvent} */ (event).detail;
      if (clip) void this.#update(clip);
    });
    addEventListener("themechange", () => this.#tiles.forEach((_, id) => void this.#update(workshop.clips.get(id))));
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
      this.#tiles.set(clip.id, { item, canvas, label, wait: clip.status === "pending" ? denoise(canvas, null) : null });
      void this.#update(clip);
    }
  }

  hide() {
    for (const { wait } of this.#tiles.values()) wait?.stop();
    this.#tiles.clear();
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  /** @param {{clip: Clip, job?: import("../api/http.js").Job}} event */
  #progress({ clip, job }) {
    const tile = this.#tiles.get(clip.id);
    if (!tile || !job) return;
    tile.label.textContent = job.status === "queued" ? placeInLine(job.queue) : "";
    if (job.progress?.total) tile.wait?.progress(job.progress.step / job.progress.total);
  }

  /** @param {Clip | undefined} clip */
  async #update(clip) {
    const tile = clip && this.#tiles.get(clip.id);
    if (!tile || clip.status === "pending") return;
    tile.wait?.stop();
    tile.label.textContent = clip.error ?? "";
    if (!clip.png) return;
    paint(await readPicture(clip.png), tile.canvas);
    /** @type {HTMLButtonElement} */ (tile.item.lastElementChild).disabled = false;
  }
}
