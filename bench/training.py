"""What compiling the UNet saves in the bundled model's training, beside the UNet uncompiled, in one run on one thread.

    python bench/training.py [--steps 6] [--batch 8] [--model riffusion/models/tiny]

Both take their steps in turns, on noise in place of clips. The first compiled step contains the compilation, which
takes minutes where nothing is cached. The last line is JSON: `ratio` is the least time of a compiled step over that of
an uncompiled one, `loss` the relative difference of their first losses.
"""

import argparse
import json
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch reads it

import numpy as np
import torch
from adherence import MODEL
from transformers import CLIPTextModel, CLIPTokenizer

from riffusion.training.models.text_encoder import token_ids
from riffusion.training.models.unet import LATENT_SHAPE, unet_from
from riffusion.training.runs.trainer import Trainer, TrainerOptions, TrainingData

_CLIPS = 64


def trainer(model: Path, batch: int, *, compiled: bool) -> Trainer:
    """A training of the model's UNet on noise and empty captions."""
    encoder = CLIPTextModel.from_pretrained(model / "text_encoder")
    empty = token_ids(CLIPTokenizer.from_pretrained(model / "tokenizer"), [""])[0]
    latents = np.random.default_rng(0).normal(size=(_CLIPS, *LATENT_SHAPE)).astype(np.float16)
    data = TrainingData(latents, empty.expand(_CLIPS, 1, -1).short(), empty)
    return Trainer(unet_from(model / "unet"), encoder, data, TrainerOptions(1000, batch, compiled=compiled), rank=0)


def timed_step(training: Trainer) -> tuple[float, float]:
    """Takes a step; its seconds and its loss."""
    began = time.perf_counter()
    loss = training.train_step()
    return time.perf_counter() - began, loss


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args()
    torch.set_num_threads(1)
    plain, compiled = (trainer(options.model, options.batch, compiled=each) for each in (False, True))
    (_, loss), (compilation_s, compiled_loss) = timed_step(plain), timed_step(compiled)
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.machine()}  one thread  first compiled step: {compilation_s:.0f} s")
    turns = [(timed_step(plain)[0], timed_step(compiled)[0]) for _ in range(options.steps)]
    least, least_compiled = map(min, zip(*turns, strict=True))
    print(f"a step of {options.batch} clips: {1000 * least:.0f} ms, compiled {1000 * least_compiled:.0f} ms")
    print(json.dumps({"ratio": round(least_compiled / least, 3), "loss": round(abs(compiled_loss / loss - 1), 5)}))


if __name__ == "__main__":
    main()
