"""Prometheus metrics of how clips are made; a worker serves them with its own (`worker.metrics`)."""

from typing import Literal, get_args

from prometheus_client import Counter, Histogram, Summary

Stage = Literal["prompt", "encode", "denoise", "decode", "sound", "write", "store"]

BATCH_ROWS = Histogram(
    "riffusion_worker_batch_rows",
    "Rows that shared a UNet call, which is one denoising step of each.",
    buckets=(1, 2, 4, 8, 16, 32, 64),
)
BATCH_OCCUPANCY = Summary("riffusion_worker_batch_occupancy_ratio", "Rows of a UNet call over the most that fit.")
STAGE_SECONDS = Histogram(
    "riffusion_worker_stage_seconds",
    "Wall time of each stage of a clip: prompt, encode, denoise, decode, sound, write, store.",
    ["stage"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
PROMPTS = Counter("riffusion_worker_prompts", "Prompts embedded, or found in the cache.", ["cache"])
PREVIEWS = Counter("riffusion_worker_previews", "Previews of running jobs.")

# A value that hasn't occurred yet is 0, not missing: otherwise its first increase wouldn't be seen.
for stage in get_args(Stage):
    STAGE_SECONDS.labels(stage)
for cache in ("hit", "miss"):
    PROMPTS.labels(cache)
