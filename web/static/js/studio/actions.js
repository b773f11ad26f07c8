/**
 * What each gesture makes: Play, Riff, Repaint, Four ideas, and the verbs below a clip. Fires "begin" before a new clip
 * takes the stage.
 * @typedef {import("../clips/history.js").Clip} Clip
 * @typedef {import("../clips/clip-store.js").Kin} Kin
 */

import { Problem, upload } from "../api/http.js";
import { find } from "../ui/dom.js";
import { askPartner } from "./blend-dialog.js";
import { toPng } from "../spectrogram/picture.js";
import { drawSeed } from "./prompts.js";
import * as requests from "../api/requests.js";

const IDEAS = 4;
const EXTEND_S = 5;
const ONE_WINDOW_S = 5.5; // longer sounds are sung window by window

/** Something the visitor has to do first, in words. */
const ask = (/** @type {string} */ words) => new Problem(0, { code: "ask", detail: words });

export class Gestures extends EventTarget {
  /** Clips asked for since the page was loaded: only these play by themselves.
   * @type {WeakSet<Clip>} */
  asked = new WeakSet();

  /**
   * @param {{composer: import("./prompt-form.js").Composer, workshop: import("../clips/clip-store.js").Workshop,
   *   bench: import("./stage.js").Bench, stage: import("../spectrogram/spectrogram-view.js").Spectrogram,
   *   box: import("./repaint-box.js").BoxSelect, drawing: import("../spectrogram/drawing.js").Drawing,
   *   player: import("../audio/player.js").Player, tool: () => "listen" | "repaint" | "draw"}} parts
   */
  constructor(parts) {
    super();
    this.parts = parts;
  }

  /** @param {requests.Request} request @param {Kin} kin */
  async begin(request, kin) {
    const { workshop, bench } = this.parts;
    const clip = await workshop.make(request, kin);
    this.asked.add(clip);
    this.dispatchEvent(new Event("begin"));
    await bench.put(clip);
  }

  /** The large button: what it does depends on the tool and on what there is to begin with. */
  async go() {
    const { composer, bench, box, tool, workshop } = this.parts;
    const controls = composer.prompted();
    const { clip } = bench;
    if (tool() === "draw") {
      const drawn = await workshop.settled(await this.#hear());
      return this.begin(requests.riff(controls, { job: drawn.id }), { verb: "riff", parents: [drawn.id] });
    }
    if (clip && tool() === "repaint" && box.box) {
      const request = requests.repaint(controls, { job: clip.id }, box.box);
      return this.begin(request, { verb: "repaint", parents: [clip.id] });
    }
    if (clip && composer.from === "clip") {
      const long = clip.request.mode === "audio-to-image" && (clip.duration ?? 0) > ONE_WINDOW_S;
      const request = (long ? requests.sing : requests.riff)(controls, { job: clip.id });
      return this.begin(request, { verb: "riff", parents: [clip.id] });
    }
    if (composer.from === "seed") {
      return this.begin(requests.riff(controls, { seed_image: composer.seedImage }), { verb: "" });
    }
    return this.begin(requests.fromNothing(controls), { verb: "" });
  }

  /** @returns {Promise<Clip[]>} drafts that differ in their seed */
  async four() {
    const controls = this.parts.composer.prompted();
    const drafts = Array.from({ length: IDEAS }, () => requests.draft(controls, drawSeed()));
    return this.parts.workshop.makeAll(drafts, { verb: "", draft: true });
  }

  /** The play button: on a drawing that was touched it makes the sound first. */
  async toggle() {
    const { tool, player, drawing, workshop } = this.parts;
    if (tool() !== "draw" || (player.ready && !drawing.touched) || player.playing) return player.toggle();
    const clip = await workshop.settled(await this.#hear());
    if (clip.error) throw ask(clip.error);
    player.load(await workshop.sound(clip));
    player.play();
  }

  /** @param {string} verb @param {Clip} clip */
  async riff(verb, clip) {
    const { composer, player } = this.parts;
    const kin = { verb, parents: [clip.id] };
    const init = { job: clip.id };
    switch (verb) {
      case "vary": {
        const again = requests.vary(clip.request);
        return this.begin(again === clip.request ? requests.riff(this.#dialsFor(clip), init) : again, kin);
      }
      case "extend":
        return this.begin(requests.extend(this.#dialsFor(clip), init, EXTEND_S), kin);
      case "loop":
        player.loop = true;
        return this.begin(requests.loop(this.#dialsFor(clip), init), kin);
      case "finish":
        return this.begin(requests.finish(clip.request, composer.controls), kin);
      case "blend":
        return this.#blend(clip);
    }
  }

  /** @param {Clip} clip */
  async #blend(clip) {
    const { composer, workshop } = this.parts;
    const others = [...workshop.clips.values()].filter((other) => other.status === "done" && other !== clip);
    if (!others.length) throw ask("Blending takes two clips. Make another one first.");
    const choice = await askPartner(find("#blend"), others.reverse());
    if (!choice) return;
    const { partner, alpha } = choice;
    const request = requests.blend(composer.controls, clip, partner, { job: clip.id }, alpha);
    await this.begin(request, { verb: "blend", parents: [clip.id, partner.id] });
  }

  /** The drawing as a clip. One that was heard and not touched since is not made again.
   * @returns {Promise<Clip>} */
  async #hear() {
    const { bench, drawing, stage, workshop } = this.parts;
    if (bench.clip && !drawing.touched) return bench.clip;
    const picture = /** @type {import("../spectrogram/picture.js").Picture} */ (stage.picture);
    const { id } = await upload(await toPng(picture), "drawing.png");
    const parents = bench.clip ? [bench.clip.id] : [];
    const clip = await workshop.make(requests.sound({ upload: id }), { verb: "draw", parents });
    drawing.touched = false;
    bench.clip = clip;
    return clip;
  }

  /** A clip's own prompt, the other dials as they stand.
   * @param {Clip} clip @returns {requests.Controls} */
  #dialsFor(clip) {
    const { controls } = this.parts.composer;
    return { ...controls, prompt: requests.voice(clip.request).prompt || controls.prompt, seed: null };
  }
}
