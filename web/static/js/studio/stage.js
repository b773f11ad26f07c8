/**
 * What lies on the stage: nothing, a clip, a clip in the making, four ideas, or what became of a clip that failed.
 * @typedef {import("../clips/history.js").Clip} Clip
 */

import { denoise } from "../spectrogram/waiting-animation.js";
import { find, make } from "../ui/dom.js";
import { CANCELED, placeInLine } from "../ui/messages.js";
import { COLUMN_S, readPicture } from "../spectrogram/picture.js";
import { descent, title } from "../api/requests.js";

const WELCOME = "Type a few words and press Make, or take the brush and draw.";

export class Bench extends EventTarget {
  /** @type {Clip | null} */
  clip = null;
  /** @type {ReturnType<typeof denoise> | null} */ #wait = null;

  /** @param {import("../spectrogram/spectrogram-view.js").Spectrogram} stage @param {import("../audio/player.js").Player} player
   * @param {import("../clips/clip-store.js").Workshop} workshop */
  constructor(stage, player, workshop) {
    super();
    this.stage = stage;
    this.player = player;
    this.workshop = workshop;
    this.notice = find("#notice");
    this.text = find("p", this.notice);
    this.bar = find("progress", this.notice);
    this.cancel = find("#cancel");
    workshop.addEventListener("progress", (event) => {
      const { clip, job, trouble } = /** @type {CustomEvent} */ (event).detail;
      if (clip === this.clip) this.#progress(job, trouble);
    });
    this.#say(WELCOME);
  }

  /** Puts a clip on the stage, whatever its state.
   * @param {Clip | null} clip @param {{play?: boolean}} [options] */
  async put(clip, { play = false } = {}) {
    this.#wait?.stop();
    this.#wait = null;
    this.clip = clip;
    this.stage.enclose(null);
    this.player.load(null);
    this.dispatchEvent(new Event("change"));
    this.#caption();
    if (!clip) {
      this.stage.show(null);
      this.#say(WELCOME);
    } else if (clip.status === "pending") {
      await this.#pending(clip);
    } else if (clip.status === "failed") {
      this.stage.show(null);
      this.#say(clip.error ?? "", { wrong: clip.error !== CANCELED, again: true });
    } else {
      await this.#done(clip, play);
    }
  }

  #caption() {
    const { clip } = this;
    const parent = clip && this.workshop.clips.get(clip.parents[0]);
    const origin = parent ? descent(clip.verb, parent) : "";
    const loras = Object.entries(clip?.request.lora ?? {}).map(([name, weight]) => `${name} ${weight}`);
    const worn = loras.length ? ` with ${loras.join(", ")}` : "";
    find("#caption").replaceChildren(clip ? title(clip.request) : "", make("span", {}, worn + origin));
    find("#remarks").textContent = clip?.remarks?.join(" ") ?? "";
  }

  /** @param {Clip} clip @param {boolean} play */
  async #done(clip, play) {
    const [picture, sound] = await Promise.all([
      readPicture(/** @type {Blob} */ (clip.png)),
      this.workshop.sound(clip),
    ]);
    if (clip !== this.clip) return;
    this.#say("");
    this.stage.show(picture, sound.duration);
    this.player.load(sound);
    if (play) this.player.play();
  }

  /** @param {Clip} clip */
  async #pending(clip) {
    const origin = clip.parents.map((id) => this.workshop.clips.get(id)).find((parent) => parent?.png);
    const source = origin?.png ? await readPicture(origin.png) : null;
    if (clip !== this.clip || clip.status !== "pending") return;
    this.stage.show(null, source ? source.width * COLUMN_S : undefined);
    this.stage.enclose(clip.request.mask ?? null);
    this.#wait = denoise(this.stage.canvas, source);
    this.#progress(this.workshop.jobs.get(clip.id));
  }

  /** @param {import("../api/http.js").Job} [job] @param {string} [trouble] */
  #progress(job, trouble) {
    if (!this.#wait) return;
    const { step = 0, total = 0 } = job?.progress ?? {};
    if (total) this.#wait.progress(step / total);
    const words =
      job?.status !== "running" ? placeInLine(job?.queue) : total ? `Step ${step} of ${total}` : "Setting out";
    this.#say(trouble ?? words, { share: total ? step / total : 0, waiting: true });
  }

  /** @param {string} text @param {{wrong?: boolean, again?: boolean, waiting?: boolean, share?: number}} [state] */
  #say(text, { wrong = false, again = false, waiting = false, share = 0 } = {}) {
    this.text.textContent = text;
    this.notice.hidden = !text;
    this.notice.classList.toggle("wrong", wrong);
    this.notice.classList.toggle("waiting", waiting);
    this.bar.hidden = this.cancel.hidden = !waiting;
    this.bar.value = share;
    find("#again").hidden = !again;
  }
}
