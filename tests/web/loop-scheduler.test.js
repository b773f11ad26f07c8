import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { LoopScheduler } from "../../web/static/js/jam/loop-scheduler.js";

/** What was started. @type {{clip: string, at: number, offset: number}[]} */
let played = [];
/** How many sources were faded out at once. */
let faded = 0;

class Source {
  playbackRate = { value: 1 };
  /** @param {unknown} _context @param {{buffer: {name: string}}} options */
  constructor(_context, { buffer }) {
    this.buffer = buffer;
  }
  /** @param {unknown} to */
  connect = (to) => to;
  /** @param {number} at @param {number} offset */
  start(at, offset) {
    assert.ok(offset >= 0, "the API refuses a negative offset");
    played.push({ clip: this.buffer.name, at, offset });
  }
  stop() {}
}
/** Refuses overlapping curves, as the Web Audio API does. */
class Gain {
  #end = -Infinity;
  gain = {
    /** @param {unknown} _curve @param {number} at @param {number} seconds */
    setValueCurveAtTime: (_curve, at, seconds) => {
      assert.ok(at >= this.#end, "two curves overlap");
      this.#end = at + seconds;
    },
    cancelScheduledValues: () => {},
    setTargetAtTime: () => void faded++,
  };
  /** @param {unknown} to */
  connect = (to) => to;
}

/** A jam whose clips become ready when `finish` is called with their names. */
function jam(loop = { period: 4, bars: 2 }) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setInterval"] });
  Object.assign(globalThis, { AudioBufferSourceNode: Source, GainNode: Gain });
  [played, faded] = [[], 0];
  const context = { currentTime: 0 };
  /** @type {{signal: AbortSignal, resolve: (clip: any) => void}[]} */
  const pending = [];
  const make = (/** @type {AbortSignal} */ signal) => new Promise((resolve) => void pending.push({ signal, resolve }));
  const scheduler = new LoopScheduler(/** @type {any} */ (context), /** @type {any} */ ({}), loop, make);
  /** @type {{type: string, clip: string, at: number, from: number}[]} */
  const turns = [];
  for (const type of ["join", "repeat"]) {
    scheduler.addEventListener(type, (event) => {
      const { clip, at, from } = /** @type {CustomEvent} */ (event).detail;
      turns.push({ type, clip: clip.name, at, from });
    });
  }
  scheduler.start();
  return {
    scheduler,
    turns,
    requested: () => pending.filter(({ signal }) => !signal.aborted).length,
    /** @param {string} name */
    async finish(name) {
      const { resolve } = pending.splice(
        pending.findIndex(({ signal }) => !signal.aborted),
        1,
      )[0];
      resolve({ name, buffer: { name, duration: 3.96 } });
      await new Promise(setImmediate);
    },
    /** Lets time pass without any timer, as for a tab that sleeps. @param {number} until  seconds */
    sleep(until) {
      context.currentTime = until;
    },
    /** Lets time pass. @param {number} until  seconds */
    play(until) {
      while (context.currentTime < until) {
        context.currentTime = Math.min(until, context.currentTime + 0.25);
        mock.timers.tick(250);
      }
    },
  };
}

/** @param {number} a @param {number} b */
const near = (a, b) => Math.abs(a - b) < 1e-9;

test("clips that are ready in time follow at the loop's end", async () => {
  const { finish, play } = jam();
  await finish("a");
  await finish("b");
  play(9);
  assert.deepEqual(
    played.map(({ clip }) => clip),
    ["a", "b"],
  );
  assert.ok(near(played[1].at - played[0].at, 4));
  assert.equal(played[1].offset, 0);
});

test("the first clip is requested alone, then three", async () => {
  const { finish, requested } = jam();
  assert.equal(requested(), 1);
  await finish("a");
  assert.equal(requested(), 3);
});

test("after a change the first clip is requested alone, and takes over at the next bar line, at its place", async () => {
  const { scheduler, turns, finish, play, requested } = jam();
  await finish("a");
  await finish("ahead");
  play(0.6);
  scheduler.remake();
  assert.equal(requested(), 1);
  play(1.2);
  await finish("b");
  assert.equal(requested(), 3);
  const [first, second] = played;
  assert.ok(near(second.at - first.at, 2));
  assert.ok(near(second.offset, 2 * (3.96 / 4)));
  const [, join] = turns;
  assert.deepEqual([join.type, join.clip], ["join", "b"]);
  assert.ok(near(join.at, first.at) && near(join.from, first.at + 2));
  await finish("c");
  play(7);
  assert.ok(near(played[2].at - first.at, 4)); // the loop still ends where it would have
});

test("a clip that is late takes over at the next bar line of the bars that repeat", async () => {
  const { turns, finish, play } = jam();
  await finish("a");
  play(4.5);
  assert.deepEqual(
    turns.map(({ type, clip }) => [type, clip]),
    [
      ["join", "a"],
      ["repeat", "a"],
    ],
  );
  await finish("b");
  play(6);
  const [first, second] = played;
  assert.ok(near(second.at - first.at, 6));
});

for (const bars of [2, 4]) {
  test(`a clip that is ready just before ${bars} bars would repeat is heard instead of them`, async () => {
    const { turns, finish, play } = jam({ period: 4, bars });
    await finish("a");
    play(3);
    assert.equal(turns.at(-1)?.type, "repeat");
    await finish("b");
    const [first, second] = played;
    assert.ok(near(second.at - first.at, 4));
    assert.equal(second.offset, 0);
    assert.deepEqual(turns.at(-1), { type: "join", clip: "b", at: second.at, from: second.at });
  });
}

test("a change just before a scheduled clip is heard waits for that clip's first bar to end", async () => {
  const { scheduler, finish, play } = jam();
  await finish("a");
  await finish("b");
  play(3.5); // b is scheduled
  scheduler.remake();
  await finish("c");
  play(5);
  const [first, second, third] = played;
  assert.equal(second.clip, "b");
  assert.ok(near(third.at - second.at, 2) && near(second.at - first.at, 4));
});

test("a clip of before a change isn't heard", async () => {
  const { scheduler, finish, play } = jam();
  await finish("a");
  scheduler.remake();
  play(9);
  assert.deepEqual(
    played.map(({ clip }) => clip),
    ["a"],
  );
});

for (const wakes of [60.1, 64.05, 61.9]) {
  test(`after a sleep until ${wakes} s the next clip takes over at a bar line that can still be met`, async () => {
    const { turns, finish, play, sleep } = jam({ period: 4, bars: 2 });
    await finish("a");
    play(1);
    sleep(wakes);
    await finish("b");
    play(wakes + 4);
    const [first, second] = played;
    assert.ok(second.at >= wakes + 0.1 && second.at < wakes + 0.1 + 2, `${second.at}`);
    assert.ok(near(((second.at - first.at) / 2) % 1, 0) || near(((second.at - first.at) / 2) % 1, 1));
    const repeats = turns.filter(({ type }) => type === "repeat");
    assert.ok(repeats.some(({ at }) => at <= wakes && at + 4 >= wakes)); // what is heard is shown
  });
}

test("a stop just before a clip is heard silences that of before, too", async () => {
  const { scheduler, finish, play } = jam();
  await finish("a");
  await finish("b");
  play(3.5); // b is scheduled
  scheduler.stop();
  assert.equal(faded, 2);
});
