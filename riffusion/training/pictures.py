"""Samples to spectrogram pictures of the size that models are trained on."""

import numpy as np
import numpy.typing as npt
import torch

from riffusion.geometry import DEFAULT
from riffusion.spectrogram.codec import SpectrogramCodec

SAMPLE_RATE = DEFAULT.sample_rate
FRAMES = 512
CLIP_SAMPLES = FRAMES * DEFAULT.hop_length  # what is cut from recordings: 5.12 s
_CODEC = SpectrogramCodec()


def picture_of(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """(512, 512) grey levels of 5.12 s or more of mono samples at 44.1 kHz, in the project's format."""
    return _CODEC.encode(torch.from_numpy(samples[None]).clamp(-1, 1)).grey[:, :FRAMES]
