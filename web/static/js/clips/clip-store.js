/**
 * Jobs in the making: submits them, follows them through reloads, and keeps what they made.
 * Fires "progress" with { clip, job } and "change" with the clip in `detail`.
 *
 * @typedef {import("./history.js").Clip} Clip
 * @typedef {import("../api/http.js").Job} Job
 * @typedef {{verb: string, parents?: string[], draft?: boolean}} Kin
 */

import { Problem, cancel, download, getJob, pause, submit, submitAll, upload } from "../api/http.js";
import { allClips, forget, keep, prune } from "./history.js";
import { intend, settle, unsettled } from "./pending-submissions.js";
import { failure, interruption, refusal, remarks } from "../ui/messages.js";
import { decode } from "../audio/player.js";
import { readPicture, shrink } from "../spectrogram/picture.js";
import { watch } from "../api/job-watch.js";

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
    for (const intent of unsettled()) await this.#send(intent).catch(() => []); // what is refused now was never seen
  }

  /** @param {Record<string, any>} request @param {Kin} kin @returns {Promise<Clip>} pending
   * @throws {Problem} */
  async make(request, kin) {
    return (await this.#send(intend(await this.#rebased(request), kin)))[0];
  }

  /** Several at once: all are accepted, or none.
   * @param {Record<string, any>[]} requests @param {Kin} kin @returns {Promise<Clip[]>} */
  async makeAll(requests, kin) {
    return this.#send(intend(requests, kin));
  }

  /** Keeps the clip of a job that was submitted elsewhere.
   * @param {Job} job @param {Kin} kin */
  adopt(job, kin) {
    if (!this.clips.has(job.id)) void this.#begin(job, kin);
  }

  /** The sound of a job that leaves no clip behind.
   * @param {Record<string, any>} request @returns {Promise<Blob>} @throws {Problem} */
  async audioOf(request) {
    const job = await watch((await submit(request)).id, () => {});
    if (!job.result) throw new Problem(0, { detail: failure(job) });
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

  /** @param {import("./pending-submissions.js").Intent} intent @returns {Promise<Clip[]>} */
  async #send(intent) {
    const { body, key, kin } = intent;
    let jobs;
    try {
      jobs = Array.isArray(body) ? await submitAll(body, key) : [await submit(body, key)];
    } catch (error) {
      settle(intent);
      throw error;
    }
    // The history begins with the newest: the first of several is to be that.
    const begun = jobs.toReversed().map((job, n) => this.#begin(job, kin, Date.now() + n));
    const clips = (await Promise.all(begun)).toReversed();
    settle(intent); // only now: the clips are in the history, and a reload finds them there
    return clips;
  }

  /** The request as it is, or, where a clip it builds on has left the server, on the copy that was kept here.
   * @param {Record<string, any>} request */
  async #rebased(request) {
    const field = ["init", "image", "clip"].find((name) => request[name]?.job) ?? "";
    const clip = this.clips.get(request[field]?.job);
    if (!clip?.png || !clip.audio || (await this.#isKept(clip.id))) return request;
    const { id } = await (field === "clip" ? upload(clip.audio, "clip.mp3") : upload(clip.png, "clip.png"));
    return { ...request, [field]: { upload: id } };
  }

  /** Whether the server still has a job.
   * @param {string} id */
  async #isKept(id) {
    try {
      return Boolean(await getJob(id));
    } catch (error) {
      if (error instanceof Problem && (error.code === "gone" || error.code === "not_found")) return false;
      throw error;
    }
  }

  /** @param {Job} job @param {Kin} kin @param {number} [at] @returns {Promise<Clip>} */
  async #begin(job, { verb, parents = [], draft = false }, at = Date.now()) {
    /** @type {Clip} */
    const clip = { id: job.id, at, verb, parents, draft, request: job.request, status: "pending" };
    this.clips.set(clip.id, clip);
    this.jobs.set(clip.id, job);
    await keep(clip);
    void this.#follow(clip);
    this.#changed(clip);
    return clip;
  }

  /** @param {Clip} clip */
  async #follow(clip) {
    try {
      const job = await watch(
        clip.id,
        (job) => this.#progress(clip, job),
        (problem) => this.#progress(clip, this.jobs.get(clip.id), interruption(problem)),
      );
      clip.remarks = remarks(job);
      if (job.result) await this.#collect(clip, job.result);
      else this.#fail(clip, failure(job));
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
