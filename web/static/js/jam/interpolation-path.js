/** The path of a jam through prompts and seeds: a few interpolated clips between one end and the next. */

import { randomSeed } from "../api/requests.js";

const STEP = 0.25;
const TURN = 0.75; // nearer to the old prompt, the new one isn't heard

/**
 * @typedef {{prompt: string, seed: number}} End
 * @typedef {{start: End, end: End, alpha: number}} Position  between two ends, alpha 0–1
 */

export class InterpolationPath {
  /** @type {End} */ #from;
  /** @type {End} */ #to;
  #alpha = 0;
  #target;

  /** @param {string} prompt */
  constructor(prompt) {
    this.#target = prompt;
    this.#from = { prompt, seed: randomSeed() };
    this.#to = { prompt, seed: randomSeed() };
  }

  /** The next position. From its end the path continues to another seed of the same prompt.
   * @returns {Position} */
  next() {
    const position = { start: this.#from, end: this.#to, alpha: this.#alpha };
    this.#alpha += STEP;
    if (this.#alpha > 1) {
      this.#from = this.#to;
      this.#to = { prompt: this.#target, seed: randomSeed() };
      this.#alpha = STEP;
    }
    return position;
  }

  /** Starts again behind the clip that is playing: those that were made ahead won't be played.
   * @param {Position | null} playing */
  returnTo(playing) {
    if (!playing) return;
    if (playing.end.prompt !== this.#target) return this.turnTo(this.#target, playing);
    this.#from = playing.start;
    this.#to = playing.end;
    this.#alpha = playing.alpha;
    this.next();
  }

  /** Turns to another prompt, from the end that is nearer to the position of the clip that is playing.
   * @param {string} prompt @param {Position | null} playing */
  turnTo(prompt, playing) {
    this.#target = prompt;
    if (playing) this.#from = playing.alpha < 0.5 ? playing.start : playing.end;
    this.#to = { prompt, seed: randomSeed() };
    this.#alpha = TURN;
  }
}
