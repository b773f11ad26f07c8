/** The way through prompts and seeds that a jam takes: a few clips from each end to the next, so that it never jumps. */

import { drawSeed } from "../studio/prompts.js";

const STRIDE = 0.25;

/** @typedef {{prompt: string, seed: number}} End */

export class Journey {
  /** @type {End} */ #from;
  /** @type {End} */ #to;
  #alpha = 0;
  #target;

  /** @param {string} prompt */
  constructor(prompt) {
    this.#target = prompt;
    this.#from = { prompt, seed: drawSeed() };
    this.#to = { prompt, seed: drawSeed() };
  }

  /** The next stop. On arrival the way goes on to another seed of the same prompt.
   * @returns {{start: End, end: End, alpha: number}} */
  next() {
    const stop = { start: this.#from, end: this.#to, alpha: this.#alpha };
    this.#alpha += STRIDE;
    if (this.#alpha > 1) {
      this.#from = this.#to;
      this.#to = { prompt: this.#target, seed: drawSeed() };
      this.#alpha = STRIDE;
    }
    return stop;
  }

  /** Sets out for another prompt from the end that is nearer to `last`, the stop that sounds now.
   * @param {string} prompt @param {{start: End, end: End, alpha: number} | null} last */
  steer(prompt, last) {
    this.#target = prompt;
    if (last) this.#from = last.alpha < 0.5 ? last.start : last.end;
    this.#to = { prompt, seed: drawSeed() };
    this.#alpha = STRIDE;
  }
}
