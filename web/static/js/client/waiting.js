/** Limits of time, pauses, and places of which there are few. */

/** At most this long passes unnoticed while a computer or a tab sleeps: timers stand still then, the clock doesn't. */
const CHECK_MS = 5000;
const LONGEST_MS = 2 ** 31 - 1; // timers take no longer one for none

/** @type {WeakMap<AbortSignal, Set<() => void>>} */
const reactions = new WeakMap();

/** Calls a function when a signal aborts. It has one listener for all of them: node takes eleven for a leak.
 * @param {AbortSignal} signal  that hasn't aborted @param {() => void} react @returns {() => void} takes it back */
function onAbort(signal, react) {
  let all = reactions.get(signal);
  if (!all) {
    const added = new Set();
    signal.addEventListener("abort", () => added.forEach((each) => void each()), { once: true });
    reactions.set(signal, added);
    all = added;
  }
  all.add(react);
  return () => void all.delete(react);
}

/** A signal that aborts when another does, or when nothing has happened for a time: with its reason, or a TimeoutError. */
export class Watchdog {
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #touched = Date.now();
  #forget = () => {};

  /** @param {number} [limitMs] none if left out @param {AbortSignal} [outer] @throws its reason, if it has aborted */
  constructor(limitMs = Number.POSITIVE_INFINITY, outer) {
    outer?.throwIfAborted();
    this.limitMs = limitMs;
    if (outer) this.#forget = onAbort(outer, () => this.#controller.abort(outer.reason));
    if (Number.isFinite(limitMs)) this.#check();
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Something has happened: the time begins again. */
  touch() {
    this.#touched = Date.now();
  }

  /** Whatever it guarded is over. */
  end() {
    clearTimeout(this.#timer);
    this.#forget();
  }

  #check = () => {
    const left = this.#touched + this.limitMs - Date.now();
    if (left > 0) this.#timer = setTimeout(this.#check, Math.min(left, CHECK_MS));
    else this.#controller.abort(new DOMException(`It took longer than ${this.limitMs / 1000} s.`, "TimeoutError"));
  };
}

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} @throws the signal's reason */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const wake = () => {
      forget?.();
      resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, LONGEST_MS));
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const forget = signal && onAbort(signal, abort);
  });
}

/** A limited number of places, for one user each at a time. */
export class Places {
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {number} free */
  constructor(free) {
    this.free = free;
  }

  /** Takes a place if one is free. */
  tryEnter() {
    if (this.free === 0) return false;
    this.free--;
    return true;
  }

  /** Waits for a place, in turn. @param {AbortSignal} signal @returns {Promise<void>} @throws the signal's reason */
  enter(signal) {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.tryEnter()) return resolve();
      const take = () => {
        forget();
        resolve();
      };
      const forget = onAbort(signal, () => {
        this.#waiting = this.#waiting.filter((each) => each !== take);
        reject(signal.reason);
      });
      this.#waiting.push(take);
    });
  }

  /** Passes the place on to the first who waits. */
  leave() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.free++;
  }
}
