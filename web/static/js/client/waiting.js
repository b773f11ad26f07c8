/** Limits of time, pauses, and places of which there are few. */

/** At most this long passes unnoticed while a computer or a tab sleeps: timers stand still then, the clock doesn't. */
const CHECK_MS = 5000;

/** A signal that aborts when another does, or when nothing has happened for a time: with its reason, or a TimeoutError. */
export class Watchdog {
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #touched = Date.now();

  /** @param {number} [limitMs] none if left out @param {AbortSignal} [outer] @throws its reason, if it has aborted */
  constructor(limitMs = Number.POSITIVE_INFINITY, outer) {
    outer?.throwIfAborted();
    this.limitMs = limitMs;
    this.outer = outer;
    outer?.addEventListener("abort", this.#forward);
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
    this.outer?.removeEventListener("abort", this.#forward);
  }

  #forward = () => this.#controller.abort(this.outer?.reason);

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
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
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
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = () => {
        this.#waiting = this.#waiting.filter((each) => each !== take);
        reject(signal.reason);
      };
      this.#waiting.push(take);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Passes the place on to the first who waits. */
  leave() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.free++;
  }
}
