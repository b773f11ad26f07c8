"""What the UNet costs and loses in bfloat16, beside float32, in one run on one thread.

    python bench/bfloat16.py [--captions 8] [--calls 5] [--model riffusion/models/tiny]

A call's processor time is the least of several, in turns; its error is relative to float32's output. Then clips of
held-out captions are compared at 20 steps: grey levels and features of partials, relative to the distance between the
clips of two captions, and beside what 10 steps in place of 20 change. The last line is JSON; `ratio_2` is that of a
guided step. Of a CPU without instructions for bfloat16 the ratios mean nothing, and workers don't use it there.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")  # before torch and numba read them

import numpy as np
import torch
from adherence import FIRST_SEED, MODEL, held_out_captions
from clip import BEFORE, FIELDS
from torch import Tensor
from worker_clips import CPU, generator, picture_of, request

from riffusion.diffusion.channels_last import to_channels_last
from riffusion.diffusion.checkpoint import Checkpoint, choose_dtype, load_checkpoint
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.generate import NoControl
from riffusion.spectrogram.canvas import Grey
from riffusion.training.evaluation.judge_features import loudness_of
from riffusion.training.evaluation.partials import partials

DTYPES = (torch.float32, torch.bfloat16)
BATCHES = (1, 2, 8)


@torch.inference_mode()
def call(checkpoint: Checkpoint, latents: Tensor, timesteps: Tensor, embeds: Tensor) -> tuple[Tensor, float]:
    """The UNet's output [B, 4, 64, 64] in float32, and the call's processor time in seconds."""
    began, dtype = time.process_time(), checkpoint.dtype
    given = latents.to(dtype, memory_format=torch.channels_last)
    output: Tensor = checkpoint.unet(given, timesteps, embeds.to(dtype), return_dict=False)[0].float()
    return output, time.process_time() - began


def calls(model: Path, count: int) -> dict[str, float]:
    """By batch size, bfloat16's time over float32's; and the relative error of the largest batch."""
    precise, rough = (load_checkpoint(model, None, CPU, dtype) for dtype in DTYPES)
    for checkpoint in (precise, rough):
        to_channels_last(checkpoint.unet)
    prompt, _ = PromptEncoder(precise).encode("funk bassline with a jazzy saxophone solo", "")
    random = torch.Generator().manual_seed(0)
    figures: dict[str, float] = {}
    for batch in BATCHES:
        latents = torch.randn(batch, 4, 64, 64, generator=random)
        timesteps = torch.randint(0, 1000, (batch,), generator=random)
        embeds = prompt.expand(batch, -1, -1)
        made = [[call(each, latents, timesteps, embeds) for each in (precise, rough)] for _ in range(count)]
        least = [min(turn[n][1] for turn in made) for n in range(len(DTYPES))]
        reference, other = (output for output, _ in made[0])
        figures[f"ratio_{batch}"] = least[1] / least[0]
        figures["relative_error"] = float((other - reference).norm() / reference.norm())
        print(f"a batch of {batch}: {1000 * least[0]:.0f} ms in float32, × {figures[f'ratio_{batch}']:.2f} in bfloat16")
    return figures


def grey_levels(one: Grey, other: Grey) -> float:
    """Mean difference of two pictures."""
    return float(np.abs(one.astype(float) - other).mean())


def partial_features(one: Grey, other: Grey) -> float:
    """Distance of two pictures' features of partials."""
    return float(np.linalg.norm(partials(loudness_of(one)) - partials(loudness_of(other))))


def pictures(model: Path, captions: Sequence[str]) -> dict[str, float]:
    """How far clips in bfloat16, and with 10 steps, are from those in float32 with 20, over two captions' distance."""
    with ExitStack() as stack:
        precise, rough = (stack.enter_context(generator(model, dtype)) for dtype in DTYPES)
        ways = ((precise, 20), (rough, 20), (precise, 10))
        clips: list[list[Grey]] = [[] for _ in ways]
        for n, caption in enumerate(captions):
            for made, (way, steps) in zip(clips, ways, strict=True):
                asked = request(caption, FIRST_SEED + n, **FIELDS[BEFORE] | {"steps": steps})
                made.append(picture_of(way.run(asked, {}, NoControl())))
    reference, others = clips[0], dict(zip(("bfloat16", "10_steps"), clips[1:], strict=True))
    figures: dict[str, float] = {}
    for what, distance in (("grey", grey_levels), ("partials", partial_features)):
        apart = np.mean([distance(one, other) for one, other in zip(reference, np.roll(reference, 1, 0), strict=True)])
        for name, made in others.items():
            change = float(np.mean([distance(one, other) for one, other in zip(reference, made, strict=True)]))
            figures[f"{what}_{name}"] = change / float(apart)
            print(f"{what}, {name}: {change:.2f}, of {apart:.2f} between two captions")
    return figures


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=int, default=8)
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    torch.set_num_threads(1)
    used = "bfloat16" if choose_dtype(CPU) == torch.bfloat16 else "float32, since this CPU has no bfloat16"
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.machine()}  one thread  workers here use {used}")
    figures = calls(options.model, options.calls)
    figures |= pictures(options.model, [text for text, _ in held_out_captions(options.captions)])
    print(json.dumps({name: round(number, 4) for name, number in figures.items()}))


if __name__ == "__main__":
    main()
