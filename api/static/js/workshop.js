/**
 * Jobs in the making: submits them, follows them through reloads, and keeps what they made.
 * Fires "progress" with { clip, job } and "change" with the clip in `detail`.
 *
 * @typedef {import("./history.js").Clip} Clip
 * @typedef {import("./api.js").Job} Job
 * @typedef {{verb: string, parents?: string[], draft?: boolean}} Kin
 */

import { Problem, cancel, download, pause, submit, submitAll, upload } from "./api.js";
import { allClips, forget, keep, prune } from "./history.js";
import { failure, refusal } from "./messages.js";
import { decode } from "./player.js";
import { readPicture, shrink } from "./picture.js";
import { watch } from "./watch.js";

const [THUMB_WIDTH, THUMB_HEIGHT] = [96, 48];
const DOWNLOAD_TRIES = 4;

export class Workshop extends EventTarget {
  /** @type {Map<string, Clip>} oldest first */
  clips = new Map();
  /** @type {Map<string, Job>} the last that was heard of jobs that haven't ended */
  jobs = new Map();
  /** @type {Map<string, AudioBuffer>} sounds decoded since the page was loaded */
  #sounds = new Map();

  /** Brings back the clips of earlier visits and goes on with those that were being made. */
  async open() {
    const clips = await allClips();
    await prune(clips);
    for (const clip of clips) {
      this.clips.set(clip.id, clip);
      if (clip.status === "pending") void this.#follow(clip);
    }
    this.#changed();
  }

  /** @param {Record<string, any>} request @param {Kin} kin @returns {Promise<Clip>} pending
   * @throws {Problem} */
  async make(request, kin) {
    return this.#begin(await this.#submit(request), kin);
  }

  /** Several at once: all are accepted, or none.
   * @param {Record<string, any>[]} requests @param {Kin} kin @returns {Promise<Clip[]>} */
  async makeAll(requests, kin) {
    return (await submitAll(requests)).map((job) => this.#begin(job, kin));
  }

  /** Keeps the clip of a job that was submitted elsewhere.
   * @param {Job} job @param {Kin} kin */
  adopt(job, kin) {
    if (!this.clips.has(job.id)) this.#begin(job, kin);
  }

  /** The sound of a job that leaves no clip behind.
   * @param {Record<string, any>} request @returns {Promise<Blob>} @throws {Problem} */
  async audioOf(request) {
    const job = await watch((await submit(request)).id, () => {});
    if (!job.result) throw new Problem(0, { detail: failure(job.error) });
    return download(job.result.audio.url);
  }

  /** @param {Clip} clip @returns {Promise<AudioBuffer>} */
  async sound(clip) {
    let buffer = this.#sounds.get(clip.id);
    if (!buffer) {
      buffer = await decode(/** @type {Blob} */ (clip.audio));
      this.#sounds.set(clip.id, buffer);
    }
    return buffer;
  }

  /** Resolves once a clip is no longer in the making.
   * @param {Clip} clip @returns {Promise<Clip>} */
  settled(clip) {
    return new Promise((resolve) => {
      const check = () => {
        if (clip.status === "pending") return;
        this.removeEventListener("change", check);
        resolve(clip);
      };
      this.addEventListener("change", check);
      check();
    });
  }

  /** @param {Clip} clip @throws {Problem} */
  async cancel(clip) {
    await cancel(clip.id);
  }

  /** @param {Clip} clip */
  async drop(clip) {
    this.clips.delete(clip.id);
    await forget(clip.id);
    this.#changed();
  }

  /** Submits; where a clip it builds on has left the server, sends the copy that was kept here instead.
   * @param {Record<string, any>} request @returns {Promise<Job>} */
  async #submit(request) {
    try {
      return await submit(request);
    } catch (error) {
      const lost = error instanceof Problem && ["unknown_reference", "gone", "not_found"].includes(error.code);
      const field = ["init", "image", "clip"].find((name) => this.clips.get(request[name]?.job)?.png);
      if (!lost || !field) throw error;
      const { png, audio } = /** @type {Required<Clip>} */ (this.clips.get(request[field].job));
      const { id } = await (field === "clip" ? upload(audio, "clip.mp3") : upload(png, "clip.png"));
      return submit({ ...request, [field]: { upload: id } });
    }
  }

  /** @param {Job} job @param {Kin} kin @returns {Clip} */
  #begin(job, { verb, parents = [], draft = false }) {
    /** @type {Clip} */
    const clip = { id: job.id, at: Date.now(), verb, parents, draft, request: job.request, status: "pending" };
    this.clips.set(clip.id, clip);
    this.jobs.set(clip.id, job);
    void keep(clip);
    void this.#follow(clip);
    this.#changed(clip);
    return clip;
  }

  /** @param {Clip} clip */
  async #follow(clip) {
    try {
      const job = await watch(clip.id, (job) => this.#progress(clip, job), {
        onProblem: (problem) => this.#progress(clip, this.jobs.get(clip.id), refusal(problem)),
      });
      if (job.result) await this.#collect(clip, job.result);
      else this.#fail(clip, failure(job.error));
    } catch (error) {
      this.#fail(clip, refusal(error));
    }
    this.jobs.delete(clip.id);
    await keep(clip);
    this.#changed(clip);
  }

  /** @param {Clip} clip @param {NonNullable<Job["result"]>} result */
  async #collect(clip, { image, audio }) {
    for (let attempt = 1; ; attempt++) {
      try {
        [clip.png, clip.audio] = await Promise.all([download(image.url), download(audio.url)]);
        break;
      } catch (error) {
        if (attempt === DOWNLOAD_TRIES) throw error;
        await pause(attempt);
      }
    }
    clip.duration = audio.duration_s;
    clip.thumb = shrink(await readPicture(clip.png), THUMB_WIDTH, THUMB_HEIGHT);
    clip.status = "done";
  }

  /** @param {Clip} clip @param {string} words */
  #fail(clip, words) {
    clip.status = "failed";
    clip.error = words;
  }

  /** @param {Clip} clip @param {Job | undefined} job @param {string} [trouble] */
  #progress(clip, job, trouble) {
    if (job) this.jobs.set(clip.id, job);
    this.dispatchEvent(new CustomEvent("progress", { detail: { clip, job, trouble } }));
  }

  /** @param {Clip} [clip] */
  #changed(clip) {
    this.dispatchEvent(new CustomEvent("change", { detail: clip }));
  }
}
