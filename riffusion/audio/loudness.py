"""Loudness by ITU-R BS.1770-4 and true peak by its annex 2."""

import math

import torch
from torch import Tensor
from torchaudio.functional import loudness, resample

TARGET_LUFS = -14.0
CEILING_DB = -1.0
_BLOCK_S = 0.4  # BS.1770 measures blocks of this length; a shorter clip is repeated to fill some
_OVERSAMPLING = 4
_HEADROOM = 0.4


def loudness_lufs(wave: Tensor, sample_rate: int) -> float:
    """Integrated loudness of a wave [C, T]; -inf for silence.

    It is measured with the peak at `_HEADROOM`, so that the standard's absolute gate is 60 dB below it: torchaudio's
    filters clip at full scale, and a quiet recording isn't silence.
    """
    if not wave.any():
        return -math.inf
    scale = _HEADROOM / float(wave.abs().max())
    shortest = math.ceil(2 * _BLOCK_S * sample_rate)
    repeated = wave.repeat(1, max(1, math.ceil(shortest / wave.shape[1])))
    level = float(loudness(scale * repeated.cpu(), sample_rate)) - 20 * math.log10(scale)
    return level if math.isfinite(level) else -math.inf


def true_peak_db(wave: Tensor, sample_rate: int) -> float:
    """Peak of a wave [C, T], between its samples too, in dB of full scale; -inf for silence."""
    if not wave.any():
        return -math.inf
    dense = resample(wave, sample_rate, _OVERSAMPLING * sample_rate, lowpass_filter_width=16)
    peak = max(float(wave.abs().max()), float(dense.abs().max()))
    return 20 * math.log10(peak)


def normalize_loudness(
    wave: Tensor, sample_rate: int, target_lufs: float = TARGET_LUFS, ceiling_db: float = CEILING_DB
) -> Tensor:
    """The wave [C, T] times one gain: to `target_lufs`, or less where the true peak would pass `ceiling_db`.

    Silence stays silence. Nothing is ever clipped.
    """
    level = loudness_lufs(wave, sample_rate)
    if level == -math.inf:
        return wave
    gain_db = min(target_lufs - level, ceiling_db - true_peak_db(wave, sample_rate))
    return wave * torch.tensor(10 ** (gain_db / 20), dtype=wave.dtype, device=wave.device)
