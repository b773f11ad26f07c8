"""Clips as a worker makes them on the CPU, and their pictures."""

from pathlib import Path
from typing import Any

import torch

from riffusion.diffusion.checkpoint import choose_dtype, load_checkpoint
from riffusion.generate import Clip, Generator
from riffusion.requests import AnyRequest, parse
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas, Grey

CPU = torch.device("cpu")


def generator(model: Path, dtype: torch.dtype | None = None) -> Generator:
    """A model folder on the CPU, with its UNet in this precision; None is a worker's."""
    checkpoint = load_checkpoint(model, None, CPU, dtype or choose_dtype(CPU))
    return Generator(checkpoint, Settings(device="cpu", checkpoint=str(model)))


def request(caption: str, seed: int, **fields: Any) -> AnyRequest:
    """A clip of a caption, as an MP3 unless the fields say otherwise."""
    return parse({"mode": "text-to-audio", "prompt": caption, "seed": seed, "format": "mp3", **fields})


def picture_of(clip: Clip) -> Grey:
    """Its picture [512, 512]."""
    return Canvas.open(clip.png).grey
