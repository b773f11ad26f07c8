import assert from "node:assert/strict";
import { test } from "node:test";
import { Places, pause, Watchdog } from "../../../web/static/js/client/waiting.js";

test("a watchdog barks after silence only", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const dog = new Watchdog(45_000);
  for (let n = 0; n < 10; n++) {
    t.mock.timers.tick(30_000);
    dog.touch();
  }
  assert.ok(!dog.signal.aborted);
  t.mock.timers.tick(45_000);
  assert.equal(dog.signal.reason.name, "TimeoutError");
});

test("after a sleep, through which timers stood still, it barks within seconds", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const dog = new Watchdog(45_000);
  t.mock.timers.tick(5000);
  t.mock.timers.setTime(8 * 3_600_000);
  t.mock.timers.tick(5000);
  assert.ok(dog.signal.aborted);
});

test("one without a limit barks only when its signal does", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const outer = new AbortController();
  const dog = new Watchdog(undefined, outer.signal);
  const ended = new Watchdog(undefined, outer.signal);
  ended.end();
  t.mock.timers.tick(2 ** 31);
  assert.ok(!dog.signal.aborted);
  outer.abort("why");
  assert.deepEqual([dog.signal.reason, ended.signal.aborted], ["why", false]);
  assert.throws(() => new Watchdog(1, outer.signal), /why/);
});

test("a place passes to the first who still waits", async () => {
  const places = new Places(1);
  const [first, impatient, patient] = [new AbortController(), new AbortController(), new AbortController()];
  await places.enter(first.signal);
  assert.ok(!places.tryEnter());
  const gone = assert.rejects(places.enter(impatient.signal), /gone/);
  const entered = places.enter(patient.signal);
  impatient.abort(new Error("gone"));
  await gone;
  places.leave();
  await entered;
  assert.equal(places.free, 0);
  places.leave();
  assert.equal(places.free, 1);
});

test("a pause ends with its signal", async () => {
  const stop = new AbortController();
  const waiting = assert.rejects(pause(60_000, stop.signal), /enough/);
  stop.abort(new Error("enough"));
  await waiting;
  await assert.rejects(pause(60_000, stop.signal), /enough/);
  await pause(1);
});

test("a pause for longer than timers can wait isn't over at once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let over = false;
  void pause(1e12).then(() => (over = true));
  t.mock.timers.tick(2 ** 31 - 2);
  assert.ok(!over);
});
