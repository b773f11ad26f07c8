/** The bodies of the API. Written by tools/make_client_types.py from its OpenAPI document: don't edit. */

/** A clip of any length re-rendered by the model in overlapping windows. */
export interface AudioToAudio {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  /** What to paint; `(words:1.2)` weighs them. */
  prompt: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  mode: "audio-to-audio";
  clip: Upload | JobResult;
  /** 0 keeps the initial picture, 1 ignores it. @default 0.55 */
  denoising?: number;
}

/** The spectrogram of a clip, and the sound that the picture holds. */
export interface AudioToImage {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  mode: "audio-to-image";
  clip: Upload | JobResult;
}

/** Many requests, and how far they are. */
export interface Batch {
  id: string;
  status: BatchStatus;
  /** Of all of its requests. */
  model: string;
  /** Requests. */
  total: number;
  /** Their sum is `total`. */
  counts: BatchNumbers;
  created_at: string;
  canceled_at: string | null;
  /** When its last request ended. */
  completed_at: string | null;
  /** When it is deleted; known once all of it has ended. */
  expires_at: string | null;
  links: BatchLinks;
}

/** URLs of the batch. */
export interface BatchLinks {
  self: string;
  results: string;
  cancel: string;
}

/** How many of a batch's requests are in each state. */
export interface BatchNumbers {
  /** Wait in the batch for a place in the queue. */
  held: number;
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  canceled: number;
}

/** One line of a batch's results. */
export interface BatchResult {
  /** Of the request in the batch. */
  line: number;
  /** That the request was sent with. */
  id: string | null;
  status: "held" | "queued" | "running" | "succeeded" | "failed" | "canceled";
  /** Once it has become a job. */
  job_id: string | null;
  /** The whole job, until it expires or is deleted. */
  job: Job | null;
  /** Why there is no clip, or none any more. */
  error: JobFailure | null;
}

/** Where a batch is between its acceptance and its end. */
export type BatchStatus = "running" | "completed" | "canceled";

/** From one clip to another: one clip between them at `alpha`, or `clips` from start to end joined into one. */
export interface Crossfade {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  mode: "crossfade";
  start: CrossfadeEnd;
  end: CrossfadeEnd;
  /** Where the one clip lies: 0 is at the start, 1 at the end. */
  alpha?: number | null;
  /** Instead of alpha: how many clips from start to end are joined into one. */
  clips?: number | null;
}

/** One end of a crossfade. */
export interface CrossfadeEnd {
  /** What to paint on this side. @default "" */
  prompt?: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** 0 keeps the initial picture, 1 ignores it. @default 0.75 */
  denoising?: number;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  init: SeedImage | Upload | JobResult;
}

/** A clip made longer: the model paints on where it ends. */
export interface Extend {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  /** What to paint; `(words:1.2)` weighs them. */
  prompt: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  mode: "extend";
  init: SeedImage | Upload | JobResult;
  /** Seconds to add. @default 5.0 */
  seconds?: number;
}

/** One field that can't be accepted. */
export interface FieldProblem {
  /** Dotted path in the request, such as `start.prompt`; empty for the whole body. */
  field: string;
  message: string;
}

/** The sound of a picture; a hand-drawn one too. */
export interface ImageToAudio {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  mode: "image-to-audio";
  image: SeedImage | Upload | JobResult;
}

/** Paints part of a picture again; every other pixel stays exactly as it was. */
export interface Inpaint {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  /** What to paint; `(words:1.2)` weighs them. */
  prompt: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  mode: "inpaint";
  init: SeedImage | Upload | JobResult;
  /** A picture whose white is painted again and whose black stays, while grey mixes old and new; or a box in seconds and hertz. */
  mask: Upload | SeedImage | MaskBox;
  /** 0 keeps the initial picture, 1 ignores it. @default 1.0 */
  denoising?: number;
}

/** Between two prompts and seeds: one clip at `alpha`, or `clips` from start to end joined into one. */
export interface Interpolate {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  mode: "interpolate";
  start: InterpolationEnd;
  end: InterpolationEnd;
  /** Where the one clip lies: 0 is at the start, 1 at the end. */
  alpha?: number | null;
  /** Instead of alpha: how many clips from start to end are joined into one. */
  clips?: number | null;
  /** Left out, the clips start from noise and denoising has no effect. */
  init?: SeedImage | Upload | JobResult | null;
  /** Where each clip is painted: white of a picture, or a box in seconds and hertz; black stays as `init` is, and grey mixes both. */
  mask?: Upload | SeedImage | MaskBox | null;
}

/** One end of an interpolation. */
export interface InterpolationEnd {
  prompt: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** 0 keeps the initial picture, 1 ignores it. @default 0.75 */
  denoising?: number;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
}

/** A request and its state. */
export interface Job {
  id: string;
  status: JobStatus;
  mode: string;
  model: string;
  created_at: string;
  /** When its last attempt started. */
  started_at: string | null;
  completed_at: string | null;
  /** While queued. */
  queue: Queue | null;
  /** Once it has started. */
  progress: Progress | null;
  /** While it is painted. */
  preview: Preview | null;
  /** As accepted, with the random values filled in: sent again, it makes the same clip. */
  request: Request;
  /** Whether it has fewer steps than requested, because the queue was long: `request` says how many. */
  degraded: boolean;
  /** How often a worker has started it. */
  attempts: number;
  /** Once succeeded. */
  result: Result | null;
  /** Once failed. */
  error: JobFailure | null;
  warnings: string[];
  /** If the request named one. */
  webhook: JobWebhook | null;
  /** The id of the batch that it is of. */
  batch: string | null;
  links: Links;
}

/** Why a job ended without a result. */
export interface JobFailure {
  /** For programs, such as `worker_lost` or `deadline_exceeded`. */
  code: string;
  /** For people. */
  detail: string;
}

/** Part of the caller's jobs, newest first. */
export interface JobPage {
  jobs: Job[];
  /** `cursor` of the next page; null on the last. */
  next_cursor: string | null;
}

/** What an earlier job made. */
export interface JobResult {
  job: string;
}

/** Where a job is between its acceptance and its end. */
export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "canceled";

/** The webhook of a job, and the state of its delivery. */
export interface JobWebhook {
  url: string;
  state: WebhookState;
  /** Attempts started. */
  attempts: number;
  /** While pending. */
  next_attempt_at: string | null;
  /** Why the last attempt failed. */
  error: string | null;
}

/** URLs of the job. */
export interface Links {
  self: string;
  cancel: string;
  events: string;
}

/** A clip that repeats without a seam: its join is painted again and its length is a whole number of bars. */
export interface Loop {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  /** What to paint at the join. @default "" */
  prompt?: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  mode: "loop";
  init: SeedImage | Upload | JobResult;
  /** Bars to keep; left out, all. */
  bars?: number | null;
  /** Left out, the picture's own, if known. */
  bpm?: number | null;
}

/** A box of the picture that is painted again; a side left out spans the whole picture. */
export interface MaskBox {
  seconds?: [number, number] | null;
  hertz?: [number, number] | null;
}

/** A model that has a running worker. */
export interface ModelEntry {
  name: string;
  /** Whether it serves requests that name no model. */
  default: boolean;
  /** `paused`: jobs are accepted and wait. `draining`: new ones are refused with `model_draining`. */
  state: ModelState;
  workers: number;
  /** Jobs that its workers can hold at once. */
  slots: number;
  /** Jobs that wait for it. */
  waiting: number;
  /** Jobs that its workers hold now. */
  running: number;
  /** Names that the `lora` of requests may contain. */
  loras: string[];
  /** The default for requests that omit it. */
  guidance: number | null;
  /** What each `quality` fills in where a request leaves it out. */
  qualities: Record<string, Preset>;
}

/** What an operator lets happen to a model's jobs. */
export type ModelState = "active" | "paused" | "draining";

/** The fields that a quality fills in where a request leaves them out. */
export interface Preset {
  steps: number;
  /** @default "dpm++2m" */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd";
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
}

/** The picture of a running job as it emerges. */
export interface Preview {
  /** A WebP, for those who may see the job; 404 once it has ended. */
  url: string;
  /** Rises with each new one of an attempt. */
  number: number;
}

/** The progress of a running job. */
export interface Progress {
  step: number;
  total: number;
}

/** The place of a waiting job in the queue. */
export interface Queue {
  /** Jobs before it. */
  position: number;
  /** Seconds until it is likely to start; null until that can be estimated. */
  eta_s: number | null;
  /** Whether the operator has paused its model: it waits at least until that is over. */
  paused: boolean;
}

export type Request = TextToAudio | Riff | Interpolate | Crossfade | Inpaint | AudioToAudio | ImageToAudio | AudioToImage | Extend | Loop;

/** The files that a job made. */
export interface Result {
  image: ResultImage;
  audio: ResultAudio;
}

/** The sound. */
export interface ResultAudio {
  /** Signed; works for anyone who has it, until `expires_at`. */
  url: string;
  expires_at: string;
  duration_s: number;
  sample_rate: number;
  channels: number;
  format: "mp3" | "wav" | "flac" | "ogg";
  bytes: number;
}

/** The spectrogram, as a PNG. */
export interface ResultImage {
  /** Signed; works for anyone who has it, until `expires_at`. */
  url: string;
  expires_at: string;
  width: number;
  height: number;
  bytes: number;
}

/** A new clip in the shape of an initial picture (image-to-image). */
export interface Riff {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  /** What to paint; `(words:1.2)` weighs them. */
  prompt: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  mode: "riff";
  init: SeedImage | Upload | JobResult;
  /** 0 keeps the initial picture, 1 ignores it. @default 0.75 */
  denoising?: number;
}

/** One of the seed images: built in, as `GET /seeds` lists them, or the operator's own, which may be a mask. */
export interface SeedImage {
  seed_image: string;
}

/** A built-in picture that `{"seed_image": name}` names. */
export interface SeedPicture {
  name: string;
  title: string;
  bpm: number;
  bars: number;
  beats_per_bar: number;
  image_url: string;
}

/** The share of a published clip. */
export interface Share {
  id: string;
  /** Its page, for people. */
  url: string;
  /** Whether the clip is in this server's gallery; not unless its publisher lists it. */
  listed: boolean;
}

/** A clip from a prompt alone. */
export interface TextToAudio {
  /** One of `GET /models`; left out, the server's default. */
  model?: string | null;
  /** The result's audio format. @default "mp3" */
  format?: "mp3" | "wav" | "flac" | "ogg";
  /** How much work to spend on picture and sound; `GET /models` says what each stands for. [standard] */
  quality?: "fast" | "standard" | "best" | null;
  /** Make it again, even if the same request with the same seed was made before. @default false */
  fresh?: boolean;
  /** Where to POST the job when it has ended; for owners of an API key. Not part of the job's request. */
  webhook?: string | null;
  /** What to steer away from. @default "" */
  negative_prompt?: string;
  /** Denoising steps of a full run: 1 to 50 of lcm and tcd, 2 to 150 of the others. Left out, those of the quality. */
  steps?: number | null;
  /** The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality. */
  scheduler?: "dpm++2m" | "ddim" | "euler" | "euler-a" | "pndm" | "lcm" | "tcd" | null;
  /** Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says. */
  timestep_spacing?: "leading" | "linspace" | "trailing" | null;
  /** Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. Left out, all are, unless the quality says otherwise. */
  guidance_end?: number | null;
  /** LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained. */
  lora?: Record<string, number> | null;
  /** What to paint; `(words:1.2)` weighs them. */
  prompt: string;
  /** Left out, it is drawn, and the job says which it was. */
  seed?: number | null;
  /** Classifier-free guidance scale; 1 or less turns it off. Left out, the model's. */
  guidance?: number | null;
  mode: "text-to-audio";
  /** Columns of the picture, 10 ms each. @default 512 */
  width?: number;
}

/** A file sent to `POST /uploads` before. */
export interface Upload {
  upload: string;
}

/** Part of the caller's uploads, newest first. */
export interface UploadPage {
  uploads: UploadedFile[];
  /** `cursor` of the next page; null on the last. */
  next_cursor: string | null;
}

/** An uploaded file, which requests may name as `{"upload": id}`. */
export interface UploadedFile {
  id: string;
  kind: "image" | "audio";
  content_type: string;
  bytes: number;
  sha256: string;
  created_at: string;
  /** When it is deleted, unless a job still needs it. */
  expires_at: string | null;
  /** Pixels, of a picture. */
  width: number | null;
  /** Pixels, of a picture. */
  height: number | null;
  /** Seconds, of a sound. */
  duration_s: number | null;
}

/** Whether a job's end has been reported to the address that its request names. */
export type WebhookState = "waiting" | "pending" | "delivered" | "failed";

/** Of a problem, or of a job that failed. */
export type Code = "bad_request" | "blocked" | "body_too_large" | "broken_picture" | "broken_sound" | "canceled" | "checkpoint_unavailable" | "conflict" | "deadline_exceeded" | "forbidden" | "gone" | "idempotency_conflict" | "inaudible_sound" | "internal" | "invalid_request" | "invalid_signature" | "job_failed" | "lease_lost" | "malformed_body" | "model_draining" | "model_retired" | "not_found" | "out_of_memory" | "overloaded" | "queue_full" | "range_not_satisfiable" | "request_timeout" | "result_lost" | "setup" | "storage_full" | "storage_unavailable" | "store_unavailable" | "taken_down" | "too_many_requests" | "tool_missing" | "unauthorized" | "unavailable" | "unknown_reference" | "unreadable_media" | "unsupported_media_type" | "worker_lost";
