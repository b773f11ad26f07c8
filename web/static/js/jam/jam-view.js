/**
 * The jam's part of the page: `/#jam`. Fires "open" when it is entered and "change" when it starts or stops.
 */

import { cancel, download, getJob, pause, submit } from "../api/http.js";
import { find } from "../ui/dom.js";
import { Jam } from "./loop-scheduler.js";
import { Journey } from "./interpolation-path.js";
import { failure, interruption, placeInLine } from "../ui/messages.js";
import { readPicture } from "../spectrogram/picture.js";
import { audioContext, decode } from "../audio/player.js";
import { worn } from "../api/requests.js";
import { River } from "./timeline.js";
import { ended } from "../api/job-watch.js";

const POLL_S = 0.4;
const IDLE_MS = 10 * 60_000;
const LOOK_MS = 15_000;
const KEEP = "Keep this clip";

export class JamRoom extends EventTarget {
  /** @type {Jam | null} */ #jam = null;
  /** @type {GainNode | null} */ #output = null;
  /** @type {Journey | null} */ #journey = null;
  #touched = Date.now();
  #trouble = "";
  /** Where it is going, until the first clip from there takes over. */
  #bound = "";
  /** Whether a worker has begun on the first bars. */
  #painting = false;

  /** @param {import("../studio/prompt-form.js").Composer} composer @param {import("../clips/clip-store.js").Workshop} workshop */
  constructor(composer, workshop) {
    super();
    this.composer = composer;
    this.workshop = workshop;
    this.status = find("#jam-status");
    this.river = new River(
      find("#river"),
      () => audioContext().currentTime,
      () => this.#jam?.ahead.map(({ picture }) => picture) ?? [],
    );
    find("#jam-play").addEventListener("click", () => (this.running ? this.stop("Stopped.") : this.go()));
    find("#jam-volume").addEventListener("input", () => this.#level());
    find("#jam-keep").addEventListener("click", () => {
      const clip = this.#jam?.playing;
      if (!clip) return;
      workshop.adopt(clip.job, { verb: "" });
      find("#jam-keep").textContent = "Kept";
      this.status.textContent = "Kept: the studio has it among your clips.";
    });
    for (const type of ["pointerdown", "pointermove", "keydown"]) {
      addEventListener(type, () => (this.#touched = Date.now()), { passive: true });
    }
    addEventListener("hashchange", () => this.#route());
    addEventListener("pagehide", () => this.stop("Stopped."));
    setInterval(() => this.#listening(), LOOK_MS);
    this.#route();
  }

  get open() {
    return location.hash === "#jam";
  }

  get running() {
    return this.#jam !== null;
  }

  /** Starts, or moves to what the prompt says now. */
  go() {
    const { prompt } = this.composer.prompted();
    if (this.#jam) {
      this.#journey?.steer(prompt, this.#jam.playing?.stop ?? null);
      this.#jam.reorder();
      this.#bound = `On to “${prompt}” at the next bar line after its first clip is painted. These bars repeat until then.`;
      this.status.textContent = this.#bound;
      return;
    }
    this.#start(prompt);
  }

  /** @param {string} why */
  stop(why) {
    if (!this.#jam) return;
    this.#jam.stop();
    this.#jam = null;
    this.river.stop();
    this.#changed(why);
  }

  /** @param {string} prompt */
  #start(prompt) {
    const context = audioContext();
    this.#output = new GainNode(context);
    this.#output.connect(context.destination);
    this.#level();
    this.#journey = new Journey(prompt);
    this.#touched = Date.now();
    this.#trouble = this.#bound = "";
    this.#painting = false;
    const beat = this.composer.seeds?.find(({ name }) => name === this.composer.seedImage);
    const period = beat ? (beat.bars * beat.beats_per_bar * 60) / beat.bpm : 5.12;
    const jam = new Jam(context, this.#output, period, (signal) => this.#make(signal, beat?.name));
    jam.addEventListener("join", (event) => this.#join(/** @type {CustomEvent} */ (event).detail));
    jam.addEventListener("repeat", (event) => {
      this.river.add(/** @type {CustomEvent} */ (event).detail, true);
      this.status.textContent =
        this.#trouble || this.#bound || "The server is behind: these bars once more, until the next clip is there.";
    });
    jam.addEventListener("trouble", (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      this.#trouble = interruption(detail);
      if (detail.code === "unauthorized") return this.stop(this.#trouble); // trying again won't help
      this.status.textContent = this.#trouble;
    });
    this.#jam = jam;
    this.river.start();
    jam.start();
    this.#changed("Asking for the first bars.");
  }

  /** @param {{clip: import("./loop-scheduler.js").JamClip, at: number, period: number}} join */
  #join(join) {
    this.#trouble = this.#bound = "";
    this.river.add(join, false);
    find("#jam-keep").textContent = KEEP;
    find("#jam-keep").disabled = false;
    const { start, end, alpha } = join.clip.stop;
    const ready = this.#jam?.ahead.length ?? 0;
    const where =
      start.prompt === end.prompt || alpha === 1
        ? `“${end.prompt}”`
        : `“${start.prompt}” → “${end.prompt}”, ${Math.round(alpha * 100)} % of the way`;
    this.status.textContent = `${where}. ${ready} clip${ready === 1 ? "" : "s"} ready ahead.`;
  }

  /** @param {AbortSignal} signal @param {string | undefined} beat @returns {Promise<import("./loop-scheduler.js").JamClip>} */
  async #make(signal, beat) {
    const stop = /** @type {Journey} */ (this.#journey).next();
    const { controls } = this.composer;
    const { denoising } = controls;
    let job = await submit({
      mode: "interpolate",
      start: { ...stop.start, denoising },
      end: { ...stop.end, denoising },
      alpha: stop.alpha,
      quality: "draft", // a clip has to be made in less time than it plays
      ...(beat && { init: { seed_image: beat } }),
      ...worn(controls),
    });
    const { id } = job;
    const drop = () => void cancel(id).catch(() => {}); // whether it was too late doesn't matter
    if (signal.aborted) drop();
    signal.addEventListener("abort", drop);
    while (!ended(job)) {
      this.#begins(job);
      await pause(POLL_S);
      job = await getJob(id, signal);
    }
    signal.removeEventListener("abort", drop);
    if (!job.result) throw new Error(failure(job));
    const [png, sound] = await Promise.all([download(job.result.image.url), download(job.result.audio.url)]);
    return { buffer: await decode(sound), picture: await readPicture(png), job, stop };
  }

  /** Before anything sounds: whether it waits for a worker, or one is at work.
   * @param {import("../api/http.js").Job} job */
  #begins({ status, queue }) {
    if (!this.#jam || this.#jam.playing || this.#painting) return;
    this.#painting = status === "running";
    const place = placeInLine(queue).toLowerCase();
    const text = this.#painting ? "Painting the first bars." : `Waiting for a worker: the first bars are ${place}.`;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  #level() {
    this.#output?.gain.setTargetAtTime(find("#jam-volume").valueAsNumber ** 2, audioContext().currentTime, 0.02);
  }

  /** Stops when nobody has touched the page for a while: someone may have left, and others are waiting for the worker. */
  #listening() {
    if (this.running && Date.now() - this.#touched > IDLE_MS) {
      this.stop("Stopped after ten minutes without a touch, to leave the worker to others. Press Start to go on.");
    }
  }

  /** @param {string} text */
  #changed(text) {
    this.status.textContent = text;
    const button = find("#jam-play");
    button.classList.toggle("playing", this.running);
    button.setAttribute("aria-label", this.running ? "Stop the jam" : "Start the jam");
    find("#jam-keep").textContent = KEEP;
    find("#jam-keep").disabled = true; // until something sounds
    this.dispatchEvent(new Event("change"));
  }

  #route() {
    const { open } = this;
    find("#jam").hidden = !open;
    find("#workbench").hidden = open;
    document.body.classList.toggle("jamming", open);
    this.composer.jamming = open;
    find("#to-jam").setAttribute("aria-current", open ? "page" : "false");
    find("#to-studio").setAttribute("aria-current", open ? "false" : "page");
    if (open) this.dispatchEvent(new Event("open"));
    else this.stop("Stopped.");
    this.dispatchEvent(new Event("change"));
  }
}
