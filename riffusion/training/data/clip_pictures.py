"""Spectrogram pictures of the size that models are trained on: from samples, and to and from tensors."""

import numpy as np
import numpy.typing as npt
import torch

from riffusion.geometry import DEFAULT
from riffusion.spectrogram.codec import SpectrogramCodec

SAMPLE_RATE = DEFAULT.sample_rate
FRAMES = 512
CLIP_SAMPLES = FRAMES * DEFAULT.hop_length  # what is cut from recordings: 5.12 s
_CODEC = SpectrogramCodec()

Pictures = npt.NDArray[np.uint8]
"""Grey levels [N, H, W], 0 to 255; 255 is silence."""


def picture_of(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Grey levels [512, 512] of mono samples [T], in ±1 at 44.1 kHz, of at least 5.12 s, in the project's format."""
    return _CODEC.encode(torch.from_numpy(samples[None]).clamp(-1, 1)).grey[:, :FRAMES]


def to_input(pictures: Pictures) -> torch.Tensor:
    """Images [N, 3, H, W] in ±1 from grey levels [N, H, W]."""
    grey = torch.from_numpy(pictures).float() / 127.5 - 1
    return grey[:, None].expand(-1, 3, -1, -1).contiguous()


def to_pictures(images: torch.Tensor) -> Pictures:
    """Grey levels [N, H, W] from images [N, 3, H, W] in ±1."""
    grey = ((images.float().mean(1) + 1) * 127.5).round().clamp(0, 255)
    levels: Pictures = grey.to(torch.uint8).numpy()
    return levels
