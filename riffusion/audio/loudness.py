"""Loudness by ITU-R BS.1770 and true peak."""

from torch import Tensor

TARGET_LUFS = -14.0
CEILING_DB = -1.0


def true_peak_db(wave: Tensor, sample_rate: int) -> float:
    """Peak of the wave [C, T] between its samples too, in dB of full scale (BS.1770 annex 2); -inf for silence."""
    raise NotImplementedError


def normalize_loudness(
    wave: Tensor, sample_rate: int, target_lufs: float = TARGET_LUFS, ceiling_db: float = CEILING_DB
) -> Tensor:
    """The wave [C, T] times one gain: to `target_lufs`, or less where the true peak would pass `ceiling_db`.

    Silence stays silence. Nothing is ever clipped.
    """
    raise NotImplementedError
