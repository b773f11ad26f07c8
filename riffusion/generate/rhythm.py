"""How far apart a picture's rhythm repeats itself: whole beats, whatever its tempo."""

import numpy as np
import numpy.typing as npt

from riffusion.spectrogram.canvas import Grey

Floats = npt.NDArray[np.float64]

_ROWS_A_BAND = 8
_SMOOTHING = (0.25, 0.5, 0.25)  # over columns


def repetition(grey: Grey, shortest: int, longest: int) -> int:
    """The lag in columns, from `shortest` to `longest`, at which a picture [rows, W] has its onsets where it had them.

    It is the maximum of the normalised autocorrelation of onset strength; the shortest for a picture without onsets.

    Args:
        longest: less than W.
    """
    onsets = _onset_strength(grey)
    lags = range(shortest, longest + 1)
    return lags[int(np.argmax([_likeness(onsets[:-lag], onsets[lag:]) for lag in lags]))]


def _onset_strength(grey: Grey) -> Floats:
    """How much louder each column [W] is than the one before, summed over bands, around its mean."""
    levels = 255 - grey.reshape(-1, _ROWS_A_BAND, grey.shape[1]).mean(1)
    rises = np.maximum(np.diff(levels, axis=1, prepend=levels[:, :1]), 0).sum(0)
    strength: Floats = np.convolve(rises - rises.mean(), _SMOOTHING, "same")
    return strength


def _likeness(first: Floats, second: Floats) -> float:
    """Their cosine; 0 where one is constant."""
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms else 0.0
