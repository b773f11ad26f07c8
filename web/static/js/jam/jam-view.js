/** The jam's view, at `/#jam`. Fires "open" when it is opened and "change" when it starts or stops. */

import { finishedJob } from "../api/finished-job.js";
import { download } from "../api/http.js";
import { modelAndLoras } from "../api/requests.js";
import { audioContext, decode } from "../audio/context.js";
import { isTyping } from "../keys/computer-keys.js";
import { readPicture } from "../spectrogram/picture.js";
import { find } from "../ui/dom.js";
import { firstBars, interruption } from "../ui/messages.js";
import { InterpolationPath } from "./interpolation-path.js";
import { LoopScheduler } from "./loop-scheduler.js";
import { PlayedNotes } from "./played-notes.js";
import { Timeline } from "./timeline.js";

const IDLE_MS = 10 * 60_000;
const IDLE_CHECK_MS = 15_000;
const KEEP = "Keep this clip";
const CLIP = { period: 5.12, bars: 2 }; // without a beat to begin with: 512 columns

export class JamView extends EventTarget {
  /** @type {LoopScheduler | null} */ #scheduler = null;
  /** @type {GainNode | null} */ #output = null;
  /** @type {InterpolationPath | null} */ #path = null;
  #lastInput = Date.now();
  #trouble = "";
  /** The message about a new prompt, until its first clip takes over. */
  #turning = "";
  /** The job of the first clip, once it runs, and since when, in ms.
   * @type {{id: string, since: number} | null} */
  #firstRunning = null;

  /**
   * @param {import("../studio/prompt-form.js").PromptForm} promptForm
   * @param {import("../clips/clip-store.js").ClipStore} clipStore
   * @param {import("../keys/keyboard.js").Keyboard} keyboard
   */
  constructor(promptForm, clipStore, keyboard) {
    super();
    this.promptForm = promptForm;
    this.clipStore = clipStore;
    this.status = find("#jam-status");
    this.timeline = new Timeline(
      find("#jam-timeline"),
      () => audioContext().currentTime,
      () => this.#scheduler?.ahead.map(({ picture }) => picture) ?? [],
    );
    this.played = new PlayedNotes(keyboard, (picture, columns) => this.timeline.redraw(picture, columns));
    this.played.addEventListener("take", () =>
      this.#remake(
        this.played.empty
          ? "The music goes on without what you played as soon as its bars are made."
          : "What you played is heard as soon as its bars are made.",
      ),
    );
    this.played.addEventListener("change", () => (find("#jam-undo").disabled = !this.played.canUndo));
    find("#jam-undo").addEventListener("click", () => this.played.undo());
    addEventListener("keydown", (event) => {
      const undo = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
      if (!undo || !this.open || !keyboard.open || isTyping(event)) return;
      event.preventDefault();
      this.played.undo();
    });
    find("#jam-clear").addEventListener("click", () => this.played.clear());
    find("#jam-play").addEventListener("click", () => (this.running ? this.stop("Stopped.") : this.go()));
    find("#jam-volume").addEventListener("input", () => this.#applyVolume());
    find("#jam-keep").addEventListener("click", () => {
      const clip = this.#scheduler?.playing;
      if (!clip) return;
      clipStore.add(clip.job, { verb: "" });
      find("#jam-keep").textContent = "Kept";
      this.status.textContent = "Kept: it is among your clips in the studio.";
    });
    for (const type of ["pointerdown", "pointermove", "keydown"]) {
      addEventListener(type, () => (this.#lastInput = Date.now()), { passive: true });
    }
    keyboard.addEventListener("press", () => (this.#lastInput = Date.now()));
    addEventListener("hashchange", () => this.#route());
    addEventListener("pagehide", () => this.stop("Stopped."));
    setInterval(() => this.#stopIfIdle(), IDLE_CHECK_MS);
    this.#route();
  }

  get open() {
    return location.hash === "#jam";
  }

  get running() {
    return this.#scheduler !== null;
  }

  /** Starts, or turns to the current prompt. */
  go() {
    const { prompt } = this.promptForm.controlsWithPrompt();
    if (this.#scheduler) {
      this.#path?.turnTo(prompt, this.#scheduler.playing?.position ?? null);
      this.#scheduler.remake();
      this.#turning = `“${prompt}” comes as soon as its first bars are made. These bars repeat until then.`;
      this.status.textContent = this.#turning;
      return;
    }
    this.#start(prompt);
  }

  /** @param {string} why */
  stop(why) {
    if (!this.#scheduler) return;
    this.#scheduler.stop();
    this.#scheduler = null;
    this.played.reset();
    this.timeline.stop();
    this.#changed(why);
  }

  /** Makes other clips than those that were made ahead.
   * @param {string} why  the message until they are heard */
  #remake(why) {
    if (!this.#scheduler) return;
    this.#path?.returnTo(this.#scheduler.playing?.position ?? null);
    this.#scheduler.remake();
    this.#turning = why;
    this.status.textContent = why;
  }

  /** @param {string} prompt */
  #start(prompt) {
    const context = audioContext();
    this.#output = new GainNode(context);
    this.#output.connect(context.destination);
    this.#applyVolume();
    this.#path = new InterpolationPath(prompt);
    this.#lastInput = Date.now();
    this.#trouble = this.#turning = "";
    this.#firstRunning = null;
    const beat = this.promptForm.seeds?.find(({ name }) => name === this.promptForm.seedImage);
    const loop = beat ? { period: (beat.bars * beat.beats_per_bar * 60) / beat.bpm, bars: beat.bars } : CLIP;
    const scheduler = new LoopScheduler(context, this.#output, loop, (signal) => this.#make(signal, beat?.name));
    scheduler.addEventListener("join", (event) => this.#join(/** @type {CustomEvent} */ (event).detail));
    scheduler.addEventListener("repeat", (event) => {
      this.timeline.add(/** @type {CustomEvent} */ (event).detail, true);
      this.played.enter(/** @type {CustomEvent} */ (event).detail);
      this.status.textContent =
        this.#trouble || this.#turning || "The next clip isn’t ready yet: these bars repeat until it is.";
    });
    scheduler.addEventListener("trouble", (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      this.#trouble = interruption(detail);
      this.#firstRunning = null;
      if (detail.code === "unauthorized") return this.stop(this.#trouble); // a retry would be refused, too
      this.status.textContent = this.#trouble;
    });
    this.#scheduler = scheduler;
    this.timeline.start();
    scheduler.start();
    this.#changed("Requesting the first bars.");
  }

  /** @param {import("./loop-scheduler.js").Turn} join */
  #join(join) {
    this.#trouble = this.#turning = "";
    this.timeline.add(join, false);
    this.played.enter(join);
    find("#jam-keep").textContent = KEEP;
    find("#jam-keep").disabled = false;
    const { start, end, alpha } = join.clip.position;
    const ready = this.#scheduler?.ahead.length ?? 0;
    const position =
      start.prompt === end.prompt || alpha === 1
        ? `“${end.prompt}”`
        : `“${start.prompt}” → “${end.prompt}”, ${Math.round(alpha * 100)} % of the way`;
    const next =
      ["The next clip is being made.", "The next clip is ready."][ready] ?? `The next ${ready} clips are ready.`;
    this.status.textContent = `${position}. ${next}`;
  }

  /** @param {AbortSignal} signal @param {string | undefined} beat  a seed image
   * @returns {Promise<import("./loop-scheduler.js").JamClip>} */
  async #make(signal, beat) {
    const position = /** @type {InterpolationPath} */ (this.#path).next();
    const { controls } = this.promptForm;
    const { denoising } = controls;
    const { take } = this.played;
    const played = await this.played.fields();
    const request = {
      mode: "interpolate",
      start: { ...position.start, denoising },
      end: { ...position.end, denoising },
      alpha: position.alpha,
      quality: "fast", // it must take less time to make than to play
      ...(played ?? (beat && { init: { seed_image: beat } })),
      ...modelAndLoras(controls),
    };
    const job = await finishedJob(request, signal, (state) => this.#showFirstJob(state));
    const [png, sound] = await Promise.all([download(job.result.image.url), download(job.result.audio.url)]);
    return { buffer: await decode(sound), picture: await readPicture(png), job, position, take };
  }

  /** Until the first clip plays: shows how long that will be.
   * @param {import("../api/http.js").Job} job */
  #showFirstJob(job) {
    if (!this.#scheduler || this.#scheduler.playing) return;
    if (job.status === "running") this.#firstRunning ??= { id: job.id, since: performance.now() };
    const first = this.#firstRunning;
    if (first && first.id !== job.id) return;
    const text = firstBars(job, first ? (performance.now() - first.since) / 1000 : 0);
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  #applyVolume() {
    this.#output?.gain.setTargetAtTime(find("#jam-volume").valueAsNumber ** 2, audioContext().currentTime, 0.02);
  }

  /** Stops after a while without input: the visitor may have left, and others are waiting for the worker. */
  #stopIfIdle() {
    if (this.running && Date.now() - this.#lastInput > IDLE_MS) {
      this.stop("Stopped after ten minutes without input, so that others get their turn. Press Start to continue.");
    }
  }

  /** @param {string} text */
  #changed(text) {
    this.status.textContent = text;
    const button = find("#jam-play");
    button.classList.toggle("playing", this.running);
    button.setAttribute("aria-label", this.running ? "Stop the jam" : "Start the jam");
    find("#jam-keep").textContent = KEEP;
    find("#jam-keep").disabled = true; // until a clip plays
    this.dispatchEvent(new Event("change"));
  }

  #route() {
    const { open } = this;
    find("#jam").hidden = !open;
    find("#workbench").hidden = open;
    document.body.classList.toggle("jamming", open);
    this.promptForm.jamming = open;
    find("#to-jam").setAttribute("aria-current", open ? "page" : "false");
    find("#to-studio").setAttribute("aria-current", open ? "false" : "page");
    if (open) this.dispatchEvent(new Event("open"));
    else this.stop("Stopped.");
    this.dispatchEvent(new Event("change"));
  }
}
