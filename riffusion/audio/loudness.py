"""Loudness as in ITU-R BS.1770-4, measured and set."""

import math

import torch
from torch import Tensor
from torchaudio.functional import loudness

from riffusion.audio.true_peak import CEILING_DB, SILENT_PEAK, true_peak_db

TARGET_LUFS = -14.0
_BLOCK_S = 0.4  # BS.1770 measures blocks of this length; a shorter clip is repeated to fill some
_MEASURED_PEAK = 0.4


def loudness_lufs(wave: Tensor, sample_rate: int) -> float:
    """Integrated loudness of a wave [C, T] in LUFS; -inf for silence, what its filter removes, and no numbers.

    It is measured with the peak at `_MEASURED_PEAK`, so that the standard's absolute gate is 60 dB below it:
    torchaudio's filters clip at full scale, and a quiet recording isn't silence.
    """
    peak = float(wave.abs().max()) if wave.numel() else 0.0
    if not SILENT_PEAK <= peak < math.inf:
        return -math.inf
    scale = _MEASURED_PEAK / peak
    shortest = math.ceil(2 * _BLOCK_S * sample_rate)
    repeated = wave.repeat(1, max(1, math.ceil(shortest / wave.shape[1])))
    level = float(loudness(scale * repeated, sample_rate)) - 20 * math.log10(scale)
    return level if math.isfinite(level) else -math.inf


def normalize_loudness(wave: Tensor, sample_rate: int) -> Tensor:
    """The wave [C, T] times one gain: to `TARGET_LUFS`, or less where the true peak would pass `CEILING_DB`.

    Silence stays silence. Nothing is clipped.
    """
    peak = true_peak_db(wave, sample_rate)
    if peak == -math.inf:
        return wave
    gain_db = min(TARGET_LUFS - loudness_lufs(wave, sample_rate), CEILING_DB - peak)
    return wave * torch.tensor(10 ** (gain_db / 20), dtype=wave.dtype)
