/**
 * The visitor's clips: submits their jobs, follows them across reloads, and keeps the results in the history.
 * Fires "progress" with { clip, job, trouble } and "change" with the clip in `detail`.
 *
 * @typedef {import("./history.js").Clip} Clip
 * @typedef {import("../api/http.js").Job} Job
 * @typedef {{verb: string, parents?: string[], draft?: boolean}} Provenance  what a clip was made from, and how
 */

import { cancel, download, getJob, sleep, submit, submitAll, upload } from "../api/http.js";
import { watchJob } from "../api/job-watch.js";
import { Problem } from "../api/problem.js";
import { decode } from "../audio/context.js";
import { readPicture, shrink } from "../spectrogram/picture.js";
import { failure, interruption, refusal, remarks } from "../ui/messages.js";
import { allClips, forget, keep, prune } from "./history.js";
import { addSubmission, pendingSubmissions, removeSubmission } from "./pending-submissions.js";

const [THUMB_WIDTH, THUMB_HEIGHT] = [96, 48];
const DOWNLOAD_ATTEMPTS = 4;

export class ClipStore extends EventTarget {
  /** @type {Map<string, Clip>} oldest first */
  clips = new Map();
  /** @type {Map<string, Job>} the last known state of jobs that haven't ended */
  jobs = new Map();
  /** @type {Map<string, AudioBuffer>} sounds decoded since the page was loaded */
  #sounds = new Map();

  /** Loads the clips of earlier visits and resumes following those that were being made. */
  async load() {
    const clips = await allClips();
    await prune(clips);
    for (const clip of clips) {
      this.clips.set(clip.id, clip);
      if (clip.status === "pending") void this.#follow(clip);
    }
    this.#changed();
    // The page that sent these was closed before the response: an error has no one to be shown to.
    for (const submission of pendingSubmissions()) await this.#send(submission).catch(() => []);
  }

  /** Submits a request.
   * @param {Record<string, any>} request @param {Provenance} provenance @returns {Promise<Clip>} pending
   * @throws {Problem} */
  async make(request, provenance) {
    return (await this.#send(addSubmission(await this.#withAvailableInput(request), provenance)))[0];
  }

  /** Several at once: all are accepted, or none.
   * @param {Record<string, any>[]} requests @param {Provenance} provenance @returns {Promise<Clip[]>} */
  async makeAll(requests, provenance) {
    return this.#send(addSubmission(requests, provenance));
  }

  /** Adds the clip of a job that was submitted elsewhere.
   * @param {Job} job @param {Provenance} provenance */
  add(job, provenance) {
    if (!this.clips.has(job.id)) void this.#begin(job, provenance);
  }

  /** The sound of a job that becomes no clip.
   * @param {Record<string, any>} request @returns {Promise<Blob>} @throws {Problem} */
  async audioOf(request) {
    const job = await watchJob((await submit(request)).id, () => {});
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

  /** Resolves once a clip is no longer pending.
   * @param {Clip} clip @returns {Promise<Clip>} */
  finished(clip) {
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

  /** @param {import("./pending-submissions.js").Submission} submission @returns {Promise<Clip[]>} */
  async #send(submission) {
    const { body, key, provenance } = submission;
    let jobs;
    try {
      jobs = Array.isArray(body) ? await submitAll(body, key) : [await submit(body, key)];
    } catch (error) {
      removeSubmission(submission);
      throw error;
    }
    // The history shows the newest first, and the first of several is to be on top.
    const begun = jobs.toReversed().map((job, n) => this.#begin(job, provenance, Date.now() + n));
    const clips = (await Promise.all(begun)).toReversed();
    removeSubmission(submission); // only now, when the clips are in the history and survive a reload
    return clips;
  }

  /** The request; if the clip that it starts from is no longer on the server, with an upload of the copy kept here.
   * @param {Record<string, any>} request */
  async #withAvailableInput(request) {
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
      if (error instanceof Problem && ["gone", "not_found", "result_lost"].includes(error.code)) return false;
      throw error;
    }
  }

  /** @param {Job} job @param {Provenance} provenance @param {number} [at] @returns {Promise<Clip>} */
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
      const job = await watchJob(
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
        if (attempt === DOWNLOAD_ATTEMPTS) throw error;
        await sleep(attempt);
      }
    }
    clip.duration = audio.duration_s;
    clip.thumb = shrink(await readPicture(clip.png), THUMB_WIDTH, THUMB_HEIGHT);
    clip.status = "done";
  }

  /** @param {Clip} clip @param {string} message */
  #fail(clip, message) {
    clip.status = "failed";
    clip.error = message;
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
