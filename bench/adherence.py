"""How well the bundled model's clips match their captions: held-out captions, fresh seeds, an independent judge.

    python bench/adherence.py [--captions 200] [--processes 2] [--steps 20] [--model riffusion/models/tiny]

The judge was trained before the model. The last line is JSON: `X` is the share of generated clips that match their
caption, `X_real` the judge's score on held-out renderings after the autoencoder, `X_chance` the clips' score against
each other's captions. `timbre` is the share whose lead sounds like an instrument, whichever it is; a `lead` that
sounds like none counts as wrong, while `likeliest_lead` is the likeliest instrument all the same.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from riffusion.training.data.captions import Stated, write_caption
from riffusion.training.data.clip_pictures import Pictures
from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.evaluation.adherence import MEASURES, adherence, chance, confusions
from riffusion.training.evaluation.judge import Judge, scores_on_real
from riffusion.training.evaluation.sampler import STEPS, sample

MODEL = Path(__file__).parents[1] / "riffusion" / "models" / "tiny"
FIRST_SEED = 1_000_000


def held_out_captions(count: int) -> list[tuple[str, Stated]]:
    """Captions of pieces that aren't in the training data."""
    clips = ComposedSet(Path(), "held-out", count)
    return [write_caption(clips.piece(index), clips.caption_rng(index)) for index in range(count)]


def generate(model: Path, captions: list[str], seeds: list[int], steps: int) -> tuple[Pictures, float]:
    """Pictures [N, 512, 512] of the captions, and the CPU seconds they took. Runs in its own process, on one thread."""
    torch.set_num_threads(1)
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    began = time.process_time()
    pictures = sample(pipeline, captions, seeds, steps=steps)
    return pictures, time.process_time() - began


def main() -> None:
    """Generates, judges and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    captions = held_out_captions(options.captions)
    stated = [facts for _, facts in captions]
    shares = [list(range(n, len(captions), options.processes)) for n in range(options.processes)]
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        jobs = [
            pool.submit(
                generate, options.model, [captions[n][0] for n in share], [FIRST_SEED + n for n in share], options.steps
            )
            for share in shares
        ]
        results = [job.result() for job in jobs]
    pictures = dict(
        pair for share, (made, _) in zip(shares, results, strict=True) for pair in zip(share, made, strict=True)
    )
    seconds = sum(spent for _, spent in results) / len(captions)
    verdicts = Judge.load().verdicts(pictures[n] for n in range(len(captions)))
    for wanted, counts in sorted(confusions(stated, verdicts).items()):
        print(f"{wanted:>21}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common(4)))
    scores, real, by_chance = (
        adherence(stated, verdicts),
        scores_on_real()["through_autoencoder"],
        chance(stated, verdicts),
    )
    result: dict[str, float] = {"n": len(captions), "steps": options.steps, "cpu_seconds_a_picture": round(seconds, 2)}
    for name in MEASURES:
        print(f"{name:>21}: {scores[name]:6.1%}   real {real[name]:6.1%}   chance {by_chance[name]:6.1%}")
        result |= {name: scores[name], f"{name}_real": real[name], f"{name}_chance": by_chance[name]}
    print(json.dumps({name: round(number, 4) for name, number in result.items()}))


if __name__ == "__main__":
    main()
