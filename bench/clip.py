"""From a prompt to the MP3, as it was and as it is: 20 guided steps in float32, and the bundled model's quality fast.

    python bench/clip.py [--captions 100] [--model riffusion/models/tiny]

before: quality standard with 20 guided steps of DPM++ 2M, the UNet in float32, pictures by the VAE's decoder
after:  quality fast, as the model's defaults.json says, with the UNet as a worker has it

Held-out captions are made into clips in both ways in turn, first on one thread and then, fewer of them, on two, each
number of threads in a process of its own. Processor time (ffmpeg's included) is given by stage, as medians over clips;
ratios are taken within a pair. The same clips go before the judge of `bench/adherence.py`: what is lost, in percentage
points, with its standard error. The last line is JSON: `speedup` is of processor time on one thread.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from adherence import FIRST_SEED, MODEL, held_out_captions
from processor_time import Functions, Stages
from worker_clips import CPU, generator, picture_of, request

from riffusion.audio import encode
from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import choose_dtype, load_checkpoint
from riffusion.diffusion.small_decoder import SmallDecoder
from riffusion.generate import Generator, NoControl, render
from riffusion.generate.painter import Painter
from riffusion.requests import AnyRequest
from riffusion.spectrogram.canvas import Grey
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.training.data.captions import Stated
from riffusion.training.evaluation.adherence import MEASURES
from riffusion.training.evaluation.judge import Judge, Verdict

BEFORE, AFTER = "before", "after"
FIELDS: dict[str, dict[str, Any]] = {
    BEFORE: {"quality": "standard", "scheduler": "dpm++2m", "steps": 20},  # with the model's own guidance
    AFTER: {"quality": "fast"},
}
STAGES: Functions = {
    "prompt": [(Painter, "conditioning")],
    "UNet": [(Painter, "paint")],
    "VAE": [(Autoencoder, "decode"), (SmallDecoder, "decode")],
    "phase retrieval": [(SpectrogramCodec, "decode")],
    "loudness, MP3": [(render, "normalize_loudness"), (render, "encode_audio")],
    "checks": [(render, "check_sound"), (encode, "check_sound")],
}
LOSSES = ("kind", "lead", "tempo")
TIMED_ON_TWO = 16


@dataclass(frozen=True)
class Made:
    """A clip's picture [512, 512], and what it took."""

    picture: Grey
    wall_s: float
    stages: dict[str, float]
    """Processor time in seconds."""

    @property
    def processor_s(self) -> float:
        """Of all stages."""
        return sum(self.stages.values())


Pair = dict[str, Made]


def make(generator: Generator, request: AnyRequest) -> Made:
    """The clip of a request, measured."""
    stages, began = Stages(), time.perf_counter()
    with stages.measured(STAGES):
        clip = generator.run(request, {}, NoControl())
    return Made(picture_of(clip), time.perf_counter() - began, dict(stages.seconds))


def pairs(model: Path, threads: int, captions: Sequence[str]) -> list[Pair]:
    """Each caption's clip in both ways, in turns. Runs in its own process."""
    torch.set_num_threads(threads)
    dtypes = {BEFORE: torch.float32, AFTER: choose_dtype(CPU)}
    with ExitStack() as stack:
        ways = {name: stack.enter_context(generator(model, dtype)) for name, dtype in dtypes.items()}
        for name, way in ways.items():
            make(way, request(captions[0], 0, **FIELDS[name]))  # the first clip pays for what is loaded late
        made = []
        for n, caption in enumerate(captions):
            turn = list(ways) if n % 2 else list(ways)[::-1]
            made.append({name: make(ways[name], request(caption, FIRST_SEED + n, **FIELDS[name])) for name in turn})
        return made


def on_threads(model: Path, threads: int, captions: Sequence[str]) -> list[Pair]:
    """`pairs` in a process that has only these threads."""
    os.environ.update(OMP_NUM_THREADS=str(threads), NUMBA_NUM_THREADS=str(threads))  # read at import
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(pairs, model, threads, captions).result()


def loss(
    measure: str, stated: Sequence[Stated], before: Sequence[Verdict], after: Sequence[Verdict]
) -> tuple[float, float]:
    """By how many percentage points fewer clips match their captions after than before, and its standard error.

    NaN where no caption states what is measured.
    """
    matches = MEASURES[measure]
    apart = [
        100.0 * (bool(matches(facts, old)) - bool(matches(facts, new)))
        for facts, old, new in zip(stated, before, after, strict=True)
        if matches(facts, old) is not None
    ]
    if not apart:
        return math.nan, math.nan
    return statistics.fmean(apart), float(np.std(apart)) / math.sqrt(len(apart))


def speedup(made: Sequence[Pair], of: str) -> float:
    """Median over pairs of before's time over after's; `of` names the time."""
    return float(statistics.median(getattr(pair[BEFORE], of) / getattr(pair[AFTER], of) for pair in made))


def print_times(threads: int, made: Sequence[Pair]) -> None:
    """A row for each stage."""
    print(f"\n| {len(made)} clips, threads: {threads}; processor ms | before | after |\n|---|---|---|")
    for stage in (*STAGES, Stages.REST):
        times = (1000 * statistics.median(pair[way].stages.get(stage, 0.0) for pair in made) for way in (BEFORE, AFTER))
        print(f"| {stage} | " + " | ".join(f"{each:.0f}" for each in times) + " |")
    for name, of in (("all", "processor_s"), ("wall", "wall_s")):
        times = (1000 * statistics.median(getattr(pair[way], of) for pair in made) for way in (BEFORE, AFTER))
        print(f"| {name} | " + " | ".join(f"{each:.0f}" for each in times) + f" | {speedup(made, of):.2f} × |")


def main() -> None:
    """Makes, judges and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=int, default=100)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    captions = held_out_captions(options.captions)
    texts, stated = [text for text, _ in captions], [facts for _, facts in captions]
    one = on_threads(options.model, 1, texts)
    two = on_threads(options.model, 2, texts[:TIMED_ON_TWO])
    fast = load_checkpoint(options.model, None, CPU, choose_dtype(CPU)).qualities["fast"]
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.machine()}, {os.cpu_count()} CPUs  {options.model.name}")
    print(f"fast: {fast.model_dump_json(exclude_none=True)}, the UNet in {choose_dtype(CPU)}".replace("torch.", ""))
    print_times(1, one)
    print_times(2, two)
    judge = Judge.load()
    before, after = (judge.verdicts(pair[way].picture for pair in one) for way in (BEFORE, AFTER))
    figures: dict[str, float] = {
        "n": len(texts),
        "speedup": speedup(one, "processor_s"),
        "cpu_s": statistics.median(pair[AFTER].processor_s for pair in one),
        "speedup_two_threads": speedup(two, "wall_s"),
        "wall_s_two_threads": statistics.median(pair[AFTER].wall_s for pair in two),
    }
    print()
    for measure in LOSSES:
        points, error = loss(measure, stated, before, after)
        print(f"{measure}: {points:+.1f} ± {error:.1f} points lost")
        figures |= {f"{measure}_loss": points, f"{measure}_loss_error": error}
    print(json.dumps({name: round(number, 3) for name, number in figures.items()}))


if __name__ == "__main__":
    main()
