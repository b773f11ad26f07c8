"""How varied and original the bundled model's clips are, how well riffs keep the rhythm, how smoothly it interpolates.

    python bench/model.py [--clips 24] [--data data/tiny] [--model riffusion/models/tiny] [--grid grid.png]

The grid shows held-out renderings above the model's clips of their captions, two rows of eight each.

Distances are between pictures averaged down to 64×64, in grey levels. Training and held-out clips are rendered into
the data folder first where they are missing (`riffusion train data` does it too), which needs FluidSynth. The last line
is JSON.
"""

import argparse
import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from riffusion.seeds import list_seeds, open_seed
from riffusion.training.data.captions import write_caption
from riffusion.training.data.clip_pictures import Pictures
from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.evaluation.sampler import sample
from riffusion.training.models.text_encoder import encode_prompt, token_ids

MODEL = Path(__file__).parents[1] / "riffusion" / "models" / "tiny"
FIRST_SEED = 2_000_000
ALPHAS = 9
Points = npt.NDArray[np.float32]


def points(pictures: Pictures) -> Points:
    """Pictures [N, 512, 512] averaged down to 64×64, as vectors [N, 4096]."""
    small: Points = pictures.reshape(len(pictures), 64, 8, 64, 8).mean((2, 4)).reshape(len(pictures), -1)
    return small.astype(np.float32)


def distances(some: Points, others: Points) -> Points:
    """Root mean square differences [N, M] of vectors [N, 4096] and [M, 4096]."""
    squares = (some**2).mean(1)[:, None] + (others**2).mean(1)[None] - 2 * some @ others.T / some.shape[1]
    roots: Points = np.sqrt(np.maximum(squares, 0))
    return roots


def onset_correlation(one: Pictures, other: Pictures) -> float:
    """Correlation of two pictures' onset strengths over time: 1 where all onsets coincide."""
    rises = [np.maximum(np.diff(255.0 - each, axis=1), 0).mean(0) for each in (one, other)]
    return float(np.corrcoef(*rises)[0, 1])


def riff_correlations(pipeline: StableDiffusionPipeline, denoising: float) -> list[float]:
    """The onset correlation of each built-in seed image with a riff on it at this denoising."""
    riffs = StableDiffusionImg2ImgPipeline.from_pipe(pipeline)
    riffs.set_progress_bar_config(disable=True)
    found = []
    for seed in list_seeds():
        image = Image.open(io.BytesIO(open_seed(seed.name))).convert("RGB")
        riff = riffs(
            "synth chords", image, strength=denoising, num_inference_steps=20, guidance_scale=4.0,
            generator=torch.Generator().manual_seed(FIRST_SEED),
        ).images[0]  # fmt: skip
        found.append(onset_correlation(*(np.asarray(each.convert("L")) for each in (image, riff))))
    return found


@torch.no_grad()
def interpolation_steps(pipeline: StableDiffusionPipeline) -> Points:
    """Distances between neighbours on the way from one prompt and seed to another, and from end to end."""
    ids = token_ids(pipeline.tokenizer, ["", "church bells", "funk bassline"])
    empty, start, end = encode_prompt(pipeline.text_encoder, ids)
    noises = [torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(FIRST_SEED + n)) for n in range(2)]
    pictures = []
    for alpha in np.linspace(0, 1, ALPHAS):
        # Independent Gaussian noises are orthogonal: their slerp is this.
        noise = float(np.cos(alpha * np.pi / 2)) * noises[0] + float(np.sin(alpha * np.pi / 2)) * noises[1]
        image = pipeline(
            prompt_embeds=torch.lerp(start, end, float(alpha))[None], negative_prompt_embeds=empty[None],
            latents=noise[None], num_inference_steps=20, guidance_scale=4.0,
        ).images[0]  # fmt: skip
        pictures.append(np.asarray(image.convert("L")))
    way = points(np.stack(pictures))
    steps = distances(way, way)
    return np.array([*np.diag(steps, 1), steps[0, -1]], np.float32)


def grid(rendered: Pictures, made: Pictures) -> Image.Image:
    """Two rows of eight of each, at a third of their size: renderings above the clips generated from their captions."""
    rows = []
    for first in (0, 8):
        for pictures in (rendered, made):
            rows.append(
                np.concatenate([np.pad(each, 6, constant_values=128) for each in pictures[first : first + 8]], 1)
            )
    whole = Image.fromarray(np.concatenate(rows))
    return whole.resize((whole.width // 3, whole.height // 3), Image.Resampling.LANCZOS)


def main() -> None:
    """Generates, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--data", type=Path, default=Path("data/tiny"))
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--grid", type=Path, help="Where to write a picture of 16 clips, real and made.")
    options = parser.parse_args()
    training, held_out = ComposedSet(options.data, "train", 9216), ComposedSet(options.data, "held-out", 1024)
    training.render(2)
    held_out.render(2)
    training_points = np.concatenate([points(picture[None]) for picture in training.pictures()])
    fresh_points = np.concatenate([points(picture[None]) for picture in held_out.pictures()])
    pipeline = StableDiffusionPipeline.from_pretrained(options.model, torch_dtype=torch.float32)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    count = options.clips
    captions = [write_caption(held_out.piece(n), held_out.caption_rng(n))[0] for n in range(count)]
    made, others = (
        sample(pipeline, captions, range(FIRST_SEED + n * count, FIRST_SEED + (n + 1) * count)) for n in (0, 1)
    )
    if options.grid:
        grid(np.load(held_out.shard_path(0))[:16], made[:16]).save(options.grid)
    first, second = points(made), points(others)
    steps, riffs = interpolation_steps(pipeline), riff_correlations(pipeline, 0.5)
    made_nearest = distances(first, training_points).min(1)
    fresh_nearest = distances(fresh_points, training_points).min(1)
    result = {
        "n": count,
        "same_caption_other_seed": float(np.diag(distances(first, second)).mean()),
        "other_caption": float(distances(first, second).mean()),
        "nearest_training_clip_min": float(made_nearest.min()),
        "nearest_training_clip_median": float(np.median(made_nearest)),
        "nearest_training_clip_of_held_out_min": float(fresh_nearest.min()),
        "nearest_training_clip_of_held_out_median": float(np.median(fresh_nearest)),
        "riff_onset_correlation_mean": float(np.mean(riffs)),
        "riff_onset_correlation_min": float(np.min(riffs)),
        "interpolation_largest_step": float(steps[:-1].max()),
        "interpolation_end_to_end": float(steps[-1]),
    }
    for name, number in result.items():
        print(f"{name:>42}: {number:.3f}")
    print(json.dumps({name: round(number, 4) for name, number in result.items()}))


if __name__ == "__main__":
    main()
