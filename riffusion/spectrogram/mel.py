"""Mel spectrograms of waves: the analysis that pictures are made with.

The scale is HTK's (S. Young et al., "The HTK Book", section 5.6), as in the original.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from riffusion.geometry import SpectrogramParams

_BLOCK = 128  # frames analysed at once; bounds memory at some 20 MB, whatever the length


@lru_cache(maxsize=8)
def mel_filters(params: SpectrogramParams) -> Tensor:
    """Triangular filters [K, B], not normalised, for B = `params.frequencies` bands and the K bins up to `max_hz`."""
    bins = params.n_fft // 2 + 1
    filters: Tensor = melscale_fbanks(
        bins, float(params.min_hz), float(params.max_hz), params.frequencies, params.sample_rate, mel_scale="htk"
    )
    highest = min(bins, params.max_hz * params.n_fft // params.sample_rate + 1)
    return filters[:highest]


def mel_spectrogram(wave: Tensor, params: SpectrogramParams, *, loop: bool = False) -> Tensor:
    """Mel magnitudes [C, B, N] of a wave [C, T], for N columns: of the STFT's magnitudes, not of their squares.

    Frames are centred on samples 0, hop, 2 hop, ... up to the first one at or past the end. Beyond its ends the wave
    is its own mirror image or, as a loop, itself; a loop's T is a whole number of hops.
    """
    samples = wave.shape[1]
    columns = samples // params.hop_length if loop else params.columns(samples)
    window = torch.hann_window(params.win_length)
    filters = mel_filters(params)
    offsets = torch.arange(params.win_length) - params.win_length // 2
    blocks = []
    for first in range(0, columns, _BLOCK):
        centres = params.hop_length * torch.arange(first, min(first + _BLOCK, columns))
        frames = wave[:, _folded(centres[:, None] + offsets, samples, loop=loop)] * window  # [C, block, win_length]
        magnitudes = torch.fft.rfft(frames, n=params.n_fft)[..., : len(filters)].abs()
        blocks.append(magnitudes @ filters)
    return torch.cat(blocks, dim=1).transpose(1, 2)


def _folded(index: Tensor, samples: int, *, loop: bool) -> Tensor:
    """Indices beyond the ends brought back inside: around the circle, or mirrored as often as it takes."""
    if loop or samples == 1:
        return index % samples
    period = 2 * (samples - 1)
    index = index % period
    return torch.minimum(index, period - index)
