"""Test doubles that users need too: a tiny Stable Diffusion of the real classes, and signals to listen to.

The model has random weights and paints noise; it costs milliseconds, and every line of code that it runs through is the
line that the real checkpoint runs through.
"""

from pathlib import Path
from typing import Literal

from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint


def tiny_checkpoint(seed: int = 0, prediction_type: Literal["epsilon", "v_prediction"] = "v_prediction") -> Checkpoint:
    """A randomly initialised Stable Diffusion on the CPU in float32; the same seed gives the same weights."""
    raise NotImplementedError


def save_tiny_checkpoint(folder: Path, seed: int = 0) -> Path:
    """`tiny_checkpoint` as a folder in diffusers format, which `StableDiffusionPipeline.from_pretrained` opens."""
    raise NotImplementedError


def chord(seconds: float = 5.0, sample_rate: int = 44_100, channels: int = 1) -> Tensor:
    """A wave [C, T] in +-1 with notes, onsets and decays: something whose spectrogram has structure."""
    raise NotImplementedError
