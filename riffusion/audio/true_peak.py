"""True peak, measured and limited: how loud a wave gets between its samples, where players reconstruct it.

Measured as in ITU-R BS.1770-4, annex 2, by oversampling.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torchaudio.functional import resample

CEILING_DB = -1.0
"""Highest true peak of the files that are made, in dB of full scale."""
SILENT_PEAK = 1e-30
"""A wave below is silence: no file can hold it, and float32 hardly more than its inverse."""
_MARGIN_DB = 0.05
_OVERSAMPLING = 4
_HALF_WIDTH = 16  # zero crossings of the interpolating sinc on either side
_REACH = _HALF_WIDTH + 1  # samples on either side that it weighs: its cutoff is just below half the rate
_MOST_GAIN = 2.5  # what it can make of samples up to 1: its weights' magnitudes add up to 2.484 at most
_BLOCK, _BATCH = 512, 1024  # samples, and blocks that are oversampled at once


def true_peak_db(wave: Tensor, sample_rate: int) -> float:
    """True peak of a wave [C, T] over all channels, in dB of full scale; -inf for silence.

    It isn't finite where a sample isn't. Only the blocks are oversampled in which it can lie, by their largest samples.
    """
    peak = float(wave.abs().max()) if wave.numel() else 0.0
    if peak < SILENT_PEAK:
        return -math.inf
    if not math.isfinite(peak):
        return peak  # `check_sound` refuses it
    padded = F.pad(wave, (_REACH, _REACH + -wave.shape[1] % _BLOCK))
    blocks = padded.unfold(1, _BLOCK + 2 * _REACH, _BLOCK).flatten(0, 1)
    edge = _OVERSAMPLING * _REACH
    possible = blocks[_MOST_GAIN * blocks.abs().amax(dim=1) > peak]
    for batch in torch.split(possible, _BATCH):
        dense = resample(batch, sample_rate, _OVERSAMPLING * sample_rate, lowpass_filter_width=_HALF_WIDTH)
        peak = max(peak, float(dense[:, edge:-edge].abs().max()))
    return 20 * math.log10(peak)


def limit_true_peak(wave: Tensor, peak_db: float) -> Tensor:
    """A wave [C, T] turned down by one gain, so that a true peak of `peak_db` comes to lie just under `CEILING_DB`.

    A wave whose peak isn't over it is left as it is. Nothing is clipped.

    Args:
        peak_db: the wave's true peak, or that of a decoded file of it, which a lossy format made louder.
    """
    over = peak_db - CEILING_DB
    return wave if over <= 0 else wave * 10 ** (-(over + _MARGIN_DB) / 20)
