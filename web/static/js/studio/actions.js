/**
 * What the studio's buttons make: Play, Riff, Repaint, Four ideas, and the verbs below a clip. Fires "begin" before a
 * new clip is shown.
 * @typedef {import("../clips/history.js").Clip} Clip
 * @typedef {import("../clips/clip-store.js").Provenance} Provenance
 */

import { upload } from "../api/http.js";
import { Problem } from "../api/problem.js";
import * as requests from "../api/requests.js";
import { toPng } from "../spectrogram/picture.js";
import { find } from "../ui/dom.js";
import { askBlend } from "./blend-dialog.js";

const IDEAS = 4;
const EXTEND_S = 5;
const ONE_WINDOW_S = 5.5; // longer sounds are re-rendered window by window

/** A problem that the visitor can solve. */
const advice = (/** @type {string} */ detail) => new Problem(0, { code: "advice", detail });

export class Actions extends EventTarget {
  /** Clips requested since the page was loaded: only these play by themselves.
   * @type {WeakSet<Clip>} */
  requested = new WeakSet();

  /**
   * @param {{promptForm: import("./prompt-form.js").PromptForm, clipStore: import("../clips/clip-store.js").ClipStore,
   *   stage: import("./stage.js").Stage, spectrogram: import("../spectrogram/spectrogram-view.js").SpectrogramView,
   *   box: import("./repaint-box.js").RepaintBox, drawing: import("../spectrogram/drawing.js").Drawing,
   *   player: import("../audio/player.js").Player, tool: () => "listen" | "repaint" | "draw"}} parts
   */
  constructor(parts) {
    super();
    this.parts = parts;
  }

  /** Submits a request and shows its clip.
   * @param {requests.Request} request @param {Provenance} provenance */
  async begin(request, provenance) {
    const { clipStore, stage } = this.parts;
    const clip = await clipStore.make(request, provenance);
    this.requested.add(clip);
    this.dispatchEvent(new Event("begin"));
    await stage.show(clip);
  }

  /** The large button, which depends on the tool and on what the clip begins with. */
  async go() {
    const { promptForm, stage, box, tool, clipStore } = this.parts;
    const controls = promptForm.controlsWithPrompt();
    const { clip } = stage;
    if (tool() === "draw") {
      const drawn = await clipStore.finished(await this.#soundOfDrawing());
      return this.begin(requests.riff(controls, { job: drawn.id }), { verb: "riff", parents: [drawn.id] });
    }
    if (clip && tool() === "repaint" && box.box) {
      const request = requests.repaint(controls, { job: clip.id }, box.box);
      return this.begin(request, { verb: "repaint", parents: [clip.id] });
    }
    if (clip && promptForm.from === "clip") {
      const long = clip.request.mode === "audio-to-image" && (clip.duration ?? 0) > ONE_WINDOW_S;
      const request = (long ? requests.audioToAudio : requests.riff)(controls, { job: clip.id });
      return this.begin(request, { verb: "riff", parents: [clip.id] });
    }
    if (promptForm.from === "seed") {
      return this.begin(requests.riff(controls, { seed_image: promptForm.seedImage }), { verb: "" });
    }
    return this.begin(requests.fromNothing(controls), { verb: "" });
  }

  /** @returns {Promise<Clip[]>} drafts that differ in their seed */
  async makeFour() {
    const controls = this.parts.promptForm.controlsWithPrompt();
    const drafts = Array.from({ length: IDEAS }, () => requests.draft(controls, requests.randomSeed()));
    return this.parts.clipStore.makeAll(drafts, { verb: "", draft: true });
  }

  /** The play button. The sound of a drawing that has changed is made first. */
  async toggle() {
    const { tool, player, drawing, clipStore } = this.parts;
    if (tool() !== "draw" || (player.ready && !drawing.changed) || player.playing) return player.toggle();
    const clip = await clipStore.finished(await this.#soundOfDrawing());
    if (clip.error) throw advice(clip.error);
    player.load(await clipStore.sound(clip));
    player.play();
  }

  /** Makes a clip from another, by one of the verbs below it.
   * @param {string} verb @param {Clip} clip */
  async derive(verb, clip) {
    const { promptForm, player } = this.parts;
    const provenance = { verb, parents: [clip.id] };
    const init = { job: clip.id };
    switch (verb) {
      case "vary": {
        const again = requests.vary(clip.request);
        return this.begin(again === clip.request ? requests.riff(this.#controlsFor(clip), init) : again, provenance);
      }
      case "extend":
        return this.begin(requests.extend(this.#controlsFor(clip), init, EXTEND_S), provenance);
      case "loop":
        player.loop = true;
        return this.begin(requests.loop(this.#controlsFor(clip), init), provenance);
      case "finish":
        return this.begin(requests.finish(clip.request, promptForm.controls), provenance);
      case "blend":
        return this.#blend(clip);
    }
  }

  /** @param {Clip} clip */
  async #blend(clip) {
    const { promptForm, clipStore } = this.parts;
    const others = [...clipStore.clips.values()].filter((other) => other.status === "done" && other !== clip);
    if (!others.length) throw advice("Blending takes two clips. Make another one first.");
    const choice = await askBlend(find("#blend"), others.reverse());
    if (!choice) return;
    const { partner, alpha } = choice;
    const request = requests.blend(promptForm.controls, clip, partner, { job: clip.id }, alpha);
    await this.begin(request, { verb: "blend", parents: [clip.id, partner.id] });
  }

  /** The drawing as a clip; one that has not changed since its sound was made is reused.
   * @returns {Promise<Clip>} */
  async #soundOfDrawing() {
    const { stage, drawing, spectrogram, clipStore } = this.parts;
    if (stage.clip && !drawing.changed) return stage.clip;
    const picture = /** @type {import("../spectrogram/picture.js").Picture} */ (spectrogram.picture);
    const { id } = await upload(await toPng(picture), "drawing.png");
    const parents = stage.clip ? [stage.clip.id] : [];
    const clip = await clipStore.make(requests.imageToAudio({ upload: id }), { verb: "draw", parents });
    drawing.changed = false;
    stage.clip = clip;
    return clip;
  }

  /** The form's controls with a clip's own prompt and a random seed.
   * @param {Clip} clip @returns {requests.Controls} */
  #controlsFor(clip) {
    const { controls } = this.parts.promptForm;
    return { ...controls, prompt: requests.promptAndSeed(clip.request).prompt || controls.prompt, seed: null };
  }
}
