"""Notes, by Spotify's basic-pitch (R. Bittner et al., ICASSP 2022; Apache 2.0) on ONNX Runtime."""

import logging
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import numpy.typing as npt


class Notes:
    """Finds notes with the package's own thresholds."""

    def __init__(self) -> None:
        logging.disable(logging.WARNING)  # it names the runtimes that aren't installed
        import basic_pitch
        from basic_pitch.inference import Model, predict

        self._predict = predict
        self._model = Model(Path(basic_pitch.__file__).parent / "saved_models" / "icassp_2022" / "nmp.onnx")

    def __call__(self, path: Path) -> npt.NDArray[np.float64]:
        """Rows [N, 4]: start and end in seconds, MIDI pitch, loudness from 0 to 1."""
        with redirect_stdout(StringIO()):
            _, _, events = self._predict(path, self._model)
        return np.array(sorted(event[:4] for event in events), np.float64).reshape(-1, 4)
