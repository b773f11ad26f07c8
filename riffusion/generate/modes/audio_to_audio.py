"""A clip of any length in overlapping windows.

The windows start from slices of one long noise, so that they agree where they overlap; there they are blended.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from riffusion.diffusion.noise import GivenNoise, SeededNoise
from riffusion.generate.clip import Control
from riffusion.generate.painter import ImageTask, Painter, seed_of
from riffusion.geometry import CLIP_COLUMNS, padded_width
from riffusion.requests.modes.audio_to_audio import AudioToAudio
from riffusion.requests.sizes import OVERLAP_COLUMNS
from riffusion.spectrogram.canvas import Canvas, Grey, pad


def make(painter: Painter, request: AudioToAudio, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The clip's picture, rendered again window by window."""
    clip = canvases["clip"]
    stride = CLIP_COLUMNS - OVERLAP_COLUMNS
    windows = max(1, -(-(clip.width - OVERLAP_COLUMNS) // stride))
    width = padded_width(clip.width) if windows == 1 else (windows - 1) * stride + CLIP_COLUMNS
    tasks = list(_windows(painter, request, pad(clip.grey, width), stride))
    progress = painter.progress(request, control, [request.denoising] * windows)

    def whole(greys: Sequence[Grey]) -> Grey:
        return _blended(greys)[:, : clip.width]

    return Canvas.blank(whole(painter.paint(request, tasks, progress, whole)), like=clip)


def _windows(painter: Painter, request: AudioToAudio, grey: Grey, stride: int) -> Iterator[ImageTask]:
    conditioning = painter.conditioning(request)
    seed, width = seed_of(request.seed), grey.shape[1]
    channels, rows, latent_columns = painter.latent_shape(width)
    noise = SeededNoise(seed).draw((channels, rows, latent_columns))
    per_latent = width // latent_columns
    for first in range(0, max(1, width - OVERLAP_COLUMNS), stride):
        last = min(first + CLIP_COLUMNS, width)
        yield ImageTask(
            conditioning=conditioning,
            noise=GivenNoise(noise[:, :, first // per_latent : last // per_latent].clone(), seed + first),
            width=last - first,
            init=grey[:, first:last],
            denoising=request.denoising,
        )


def _blended(windows: Sequence[Grey]) -> Grey:
    """Windows side by side, each fading into the next over the columns that they share."""
    fade = (np.arange(OVERLAP_COLUMNS) + 0.5) / OVERLAP_COLUMNS
    parts, tail = [], windows[0]
    for window in windows[1:]:
        shared = tail[:, -OVERLAP_COLUMNS:] * (1 - fade) + window[:, :OVERLAP_COLUMNS] * fade
        parts += [tail[:, :-OVERLAP_COLUMNS], shared.round().astype(np.uint8)]
        tail = window[:, OVERLAP_COLUMNS:]
    return np.concatenate((*parts, tail), axis=1)
