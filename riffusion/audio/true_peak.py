"""True peak, measured and limited: how loud a wave gets between its samples, where players reconstruct it.

Measured as in ITU-R BS.1770-4, annex 2, by oversampling.
"""

import math

from torch import Tensor
from torchaudio.functional import resample

CEILING_DB = -1.0
"""Highest true peak of the files that are made, in dB of full scale."""
SILENT_PEAK = 1e-30
"""A wave below is silence: no file can hold it, and float32 hardly more than its inverse."""
_MARGIN_DB = 0.05
_OVERSAMPLING = 4


def true_peak_db(wave: Tensor, sample_rate: int) -> float:
    """True peak of a wave [C, T] over all channels, in dB of full scale; -inf for silence."""
    if not wave.numel() or float(wave.abs().max()) < SILENT_PEAK:
        return -math.inf
    dense = resample(wave, sample_rate, _OVERSAMPLING * sample_rate, lowpass_filter_width=16)
    peak = max(float(wave.abs().max()), float(dense.abs().max()))
    return 20 * math.log10(peak)


def limit_true_peak(wave: Tensor, peak_db: float) -> Tensor:
    """A wave [C, T] turned down by one gain, so that a true peak of `peak_db` comes to lie just under `CEILING_DB`.

    A wave whose peak isn't over it is left as it is. Nothing is clipped.

    Args:
        peak_db: the wave's true peak, or that of a decoded file of it, which a lossy format made louder.
    """
    over = peak_db - CEILING_DB
    return wave if over <= 0 else wave * 10 ** (-(over + _MARGIN_DB) / 20)
