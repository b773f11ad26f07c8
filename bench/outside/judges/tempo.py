"""The tempo, by librosa's autocorrelation of onset strength (ISC)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

_HOP = 128  # 6 ms at 22.05 kHz: a step of 3 beats per minute at 174


class TempoJudge:
    """Finds one tempo a clip."""

    def __call__(self, path: Path) -> npt.NDArray[np.float64]:
        """Beats per minute [1]."""
        import librosa

        samples, rate = librosa.load(path)
        onsets = librosa.onset.onset_strength(y=samples, sr=rate, hop_length=_HOP)
        found = librosa.feature.tempo(onset_envelope=onsets, sr=rate, hop_length=_HOP, ac_size=5.0)
        return np.asarray(found, np.float64)
