import assert from "node:assert/strict";
import { test } from "node:test";

/** What the tone's oscillator was set to. */
const log = { started: 0, stopped: 0, hz: /** @type {number[]} */ ([]) };
const parameter = { setTargetAtTime: () => {} };
class Node {
  frequency = { setTargetAtTime: (/** @type {number} */ hz) => log.hz.push(hz) };
  gain = parameter;
  connect = (/** @type {object} */ next) => next;
  start = () => log.started++;
  stop = () => log.stopped++;
}
Object.assign(globalThis, {
  AudioContext: class {
    state = "running";
    currentTime = 0;
    destination = {};
  },
  OscillatorNode: Node,
  GainNode: Node,
});
const { PitchTone } = await import("../../web/static/js/audio/pitch-tone.js");

test("one oscillator glides along until it is stopped", () => {
  const tone = new PitchTone();
  tone.at(440, "brush", 0.5);
  tone.at(550, "brush", 0.5);
  assert.deepEqual(log, { started: 1, stopped: 0, hz: [440, 550] });
  tone.stop();
  tone.stop();
  assert.equal(log.stopped, 1);
  tone.at(660, "brush", 0.5);
  assert.equal(log.started, 2);
});
