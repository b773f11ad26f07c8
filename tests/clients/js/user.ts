// A program of someone who has installed the package: it must compile, and the mistakes in it must be errors.
import { type BatchState, Client, type Code, Problem, UnavailableError, webhooks } from "riffusion";
import type { Riff } from "riffusion/schema";

const client = new Client({ url: "http://127.0.0.1:8000", key: () => null });
const riff: Riff = { mode: "riff", prompt: "organ", init: { seed_image: "drums" }, denoising: 0.5 };

export async function use(file: Uint8Array, body: string, headers: Record<string, string>): Promise<number> {
  const clip = await client.run(riff, { timeoutMs: 60_000, onChange: (job) => job.progress?.step.toFixed() });
  const sound: Uint8Array = await clip.audio.bytes({ signal: AbortSignal.timeout(1000) });
  await client.submit({ mode: "audio-to-audio", clip: await client.upload(file), prompt: "x" });
  for await (const job of client.jobs({ status: "failed" })) job.data.error?.code.toUpperCase();
  for await (const { preview } of client.events("id")) if (preview) await preview.blob();
  const batch = await client.submitBatch([riff, "organ", { ...riff, id: "mine" }], { idempotencyKey: "night" });
  await batch.wait({ onChange: ({ counts }) => counts.held.toFixed() });
  for await (const { id, clip, error } of batch.results()) if (clip) await clip.audio.blob();
    else error?.code.concat(id ?? "");
  for await (const each of client.batches()) (each.data satisfies BatchState).total.toFixed();
  const event = await webhooks.unwrap(body, headers, "whsec_");
  if (event.type === "job.succeeded") event.data.result?.audio.duration_s.toFixed();
  return sound.length + clip.audio.info.duration_s;
}

export function explain(error: unknown): Code | number | null {
  if (error instanceof UnavailableError) return error.retryAfter;
  if (error instanceof Problem && error.code === "invalid_request") return error.fields.length;
  return null;
}

// @ts-expect-error -- a riff needs what it starts from
void client.submit({ mode: "riff", prompt: "organ" });
// @ts-expect-error -- no such mode
void client.submit({ mode: "song", prompt: "organ" });
// @ts-expect-error -- one request isn't several
void client.submitBatch(riff);
// @ts-expect-error -- an id is a text
void client.submitBatch([{ ...riff, id: 7 }]);
// @ts-expect-error -- no such status
client.jobs({ status: "done" });
// @ts-expect-error -- a client needs an address
new Client({});
