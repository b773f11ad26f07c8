// The package `replicate` from npm as it is, with nothing but another base URL: node package.mjs <base URL>

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const Replicate = createRequire(new URL("../../../../web/package.json", import.meta.url))("replicate");
const REF = "riffusion/riffusion:8cf61ea6c56afd61d8f5b9ffd14d7c216c0a93844ce2d82ac1c9ecc9c7f24e05";
const input = { prompt_a: "church bells" };
const replicate = new Replicate({ auth: "r8_abcdefghijklmnopqrstuvwxyz00000000000", baseUrl: process.argv[2] });

async function check(output) {
  const sound = await output.audio.blob();
  assert.equal(await sound.slice(0, 4).text(), "RIFF");
  assert.match(await (await output.spectrogram.blob()).slice(1, 4).text(), /PNG/);
}

await check(await replicate.run(REF, { input }));
await check(await replicate.run("riffusion/riffusion", { input }));
const seen = [];
await check(await replicate.run(REF, { input: { prompt_a: "rain" }, wait: { mode: "poll" } }, (p) => seen.push(p.status)));
assert.equal(seen[0], "starting");
assert.equal(seen.at(-1), "succeeded");

const created = await replicate.predictions.create({ version: REF, input: { prompt_a: "organ" } });
assert.equal(created.status, "starting");
const ended = await replicate.wait(created, {});
assert.deepEqual([ended.status, ended.input], ["succeeded", { prompt_a: "organ" }]);
assert.equal((await replicate.predictions.cancel(created.id)).status, "succeeded");

const ids = [];
for await (const page of replicate.paginate(replicate.predictions.list)) ids.push(...page.map((each) => each.id));
assert.deepEqual([ids.length, ids[0]], [4, created.id]);

const model = await replicate.models.get("riffusion", "riffusion");
const version = await replicate.models.versions.get("riffusion", "riffusion", model.latest_version.id);
assert.ok("prompt_a" in version.openapi_schema.components.schemas.Input.properties);

await assert.rejects(replicate.run(REF, { input: { alpha: 2 } }), /input.alpha/);
console.log("ok");
