import assert from "node:assert/strict";
import { test } from "node:test";
import * as requests from "../../web/static/js/api/requests.js";

const CONTROLS = {
  prompt: "church bells",
  negative: "",
  seed: null,
  quality: "standard",
  steps: null,
  guidance: null,
  sampler: null,
  width: 512,
  denoising: 0.75,
  model: null,
  lora: null,
};
const INIT = { job: "j" };

test("fields at the server's default are left out", () => {
  assert.deepEqual(requests.fromNothing(CONTROLS), {
    mode: "text-to-audio",
    prompt: "church bells",
    width: 512,
  });
});

test("everything that was set is sent", () => {
  const controls = {
    ...CONTROLS,
    negative: "vocals",
    seed: 0,
    quality: "best",
    steps: 30,
    guidance: 0,
    model: "own",
    lora: { dub: 0.5 },
  };
  assert.deepEqual(requests.riff(controls, INIT), {
    mode: "riff",
    prompt: "church bells",
    init: INIT,
    denoising: 0.75,
    negative_prompt: "vocals",
    model: "own",
    lora: { dub: 0.5 },
    seed: 0,
    quality: "best",
    steps: 30,
    guidance: 0,
  });
});

test("a draft is fast, and is finished with the same seed, without what the server filled in for fast", () => {
  const controls = { ...CONTROLS, steps: 30, guidance: 6, lora: { dub: 0.5 } };
  const draft = requests.draft(controls, 7);
  assert.deepEqual([draft.quality, draft.seed, "steps" in draft, "guidance" in draft], ["fast", 7, false, false]);
  const stored = {
    ...draft,
    steps: 4,
    scheduler: "euler",
    timestep_spacing: "trailing",
    guidance: 1,
    guidance_end: 0.5,
    lora: { dub: 0.5, few: 1 },
  };
  assert.deepEqual(requests.finish(stored, controls), requests.fromNothing({ ...controls, seed: 7 }));
  assert.equal(requests.finish(stored, { ...CONTROLS, quality: "best" }).quality, "best");
  assert.equal("quality" in requests.finish(stored, { ...CONTROLS, quality: "fast" }), false);
});

test("a blend interpolates between prompts and seeds, and from an interpolation's end", () => {
  const from = { request: { mode: "riff", prompt: "a", seed: 1 } };
  const to = { request: { mode: "interpolate", start: { prompt: "x", seed: 8 }, end: { prompt: "b", seed: 2 } } };
  const { start, end, alpha, init } = requests.blend(CONTROLS, from, to, INIT, 0.25);
  assert.deepEqual(start, { prompt: "a", seed: 1, denoising: 0.75 });
  assert.deepEqual(end, { prompt: "b", seed: 2, denoising: 0.75 });
  assert.deepEqual([alpha, init], [0.25, INIT]);
});

test("a variation differs in its seeds only", () => {
  const riff = { mode: "riff", prompt: "a", seed: 1 };
  const { seed, ...rest } = requests.vary(riff);
  assert.notEqual(seed, 1);
  assert.deepEqual(rest, { mode: "riff", prompt: "a" });
  const ends = { mode: "interpolate", start: { prompt: "a", seed: 1 }, end: { prompt: "b", seed: 2 } };
  const varied = requests.vary(ends);
  assert.deepEqual([varied.start.prompt, varied.end.prompt], ["a", "b"]);
  assert.notDeepEqual([varied.start.seed, varied.end.seed], [1, 2]);
});

test("a mode without a seed has no variation", () => {
  const drawing = requests.imageToAudio({ upload: "u" });
  assert.equal(requests.vary(drawing), drawing);
});
