"""The pitch of one voice, by Sony CSL's PESTO (A. Riou et al., ISMIR 2023; LGPL 3)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

_MODEL, _STEP_MS = "mir-1k_g7", 20.0
_RATE = 16000  # of the recordings that it was trained on


class Pitch:
    """Finds a pitch every 20 ms, and how sure it is that there is one."""

    def __init__(self) -> None:
        from pesto import load_model

        self._model = load_model(_MODEL, step_size=_STEP_MS, sampling_rate=_RATE)

    def __call__(self, path: Path) -> npt.NDArray[np.float64]:
        """Rows [F, 3]: MIDI pitch with its fraction, confidence from 0 to 1, level in dB under the loudest."""
        import librosa
        import torch

        samples, _ = librosa.load(path, sr=_RATE)
        with torch.inference_mode():
            pitch, confidence, energy, _ = self._model(torch.from_numpy(samples)[None], sr=_RATE)
        level = 10 * np.log10(np.maximum(energy[0].numpy(), 1e-12))
        return np.stack([pitch[0].numpy(), confidence[0].numpy(), level - level.max()], axis=1).astype(np.float64)
