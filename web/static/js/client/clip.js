/**
 * What a job has made: a sound and its picture.
 * @typedef {import("./transport.js").CallOptions} CallOptions
 */

import { RequestError } from "./problem.js";
import { readBlob } from "./transport.js";

/**
 * A file on the server. Its link works for anyone who has it, until it expires.
 * @template {{url: string}} T
 */
export class RemoteFile {
  /** @param {import("./transport.js").Transport} transport @param {() => T} describe  as the API describes it now
   * @param {{renew?: (options: CallOptions) => Promise<unknown>, anonymous?: boolean}} [access]  `renew` fetches a new
   *   link; a link that needs no credentials gets none: it may lead to another host */
  constructor(transport, describe, { renew, anonymous = true } = {}) {
    this.transport = transport;
    this.describe = describe;
    this.renew = renew;
    this.anonymous = anonymous;
  }

  /** As the API describes it: size, duration, format. */
  get info() {
    return this.describe();
  }

  get url() {
    return this.info.url;
  }

  /** Downloads it. @param {CallOptions} [options] @returns {Promise<Blob>} @throws {import("./problem.js").Problem} */
  async blob(options = {}) {
    const { url } = this;
    const download = () => this.transport.request("GET", this.url, readBlob, { ...options, anonymous: this.anonymous });
    try {
      return await download();
    } catch (error) {
      if (!(this.renew && error instanceof RequestError)) throw error;
      await this.renew(options);
      if (this.url === url) throw error;
      return download();
    }
  }

  /** Downloads it. @param {CallOptions} [options] @returns {Promise<Uint8Array>} @throws {import("./problem.js").Problem} */
  async bytes(options) {
    return new Uint8Array(await (await this.blob(options)).arrayBuffer());
  }
}

/** The result of a job that has succeeded. */
export class Clip {
  /** @param {import("./job.js").Job} job */
  constructor(job) {
    this.job = job;
    const { transport } = job;
    const access = { renew: (/** @type {CallOptions} */ options) => job.refresh(options) };
    /** @type {RemoteFile<import("./schema.js").ResultAudio>} */
    this.audio = new RemoteFile(transport, () => result(job).audio, access);
    /** The spectrogram, a PNG.
     * @type {RemoteFile<import("./schema.js").ResultImage>} */
    this.image = new RemoteFile(transport, () => result(job).image, access);
  }
}

/** @param {import("./job.js").Job} job */
const result = (job) => /** @type {import("./schema.js").Result} */ (job.data.result);
