"""How strongly something begins at each moment, by librosa's spectral flux (ISC)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 200  # frames a second
_SAMPLE_RATE = 22_000


class Onsets:
    """Finds the strength of onsets."""

    def __call__(self, path: Path) -> npt.NDArray[np.float64]:
        """Strength [F], 0 and more, every 5 ms."""
        import librosa

        samples, _ = librosa.load(path, sr=_SAMPLE_RATE)
        found = librosa.onset.onset_strength(y=samples, sr=_SAMPLE_RATE, hop_length=_SAMPLE_RATE // RATE)
        return np.asarray(found, np.float64)
