"""Runs outside judges over WAV files: a program of its own, in the environment .venv-outsiders.

    echo notes clip.wav | PYTHONPATH=bench .venv-outsiders/bin/python -m outside.listen

Reads lines of a judge's name and a WAV file's path. What the judge finds is written to `clip.<judge>.npy`, unless that
is there already.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from outside.judges.chords import Chords
from outside.judges.notes import Notes
from outside.judges.onsets import Onsets
from outside.judges.pitch import Pitch
from outside.judges.tags import Tags
from outside.judges.tempo import TempoJudge

JUDGES: dict[str, Callable[[], Callable[[Path], npt.NDArray[np.float64]]]] = {
    "notes": Notes,
    "onsets": Onsets,
    "pitch": Pitch,
    "chords": Chords,
    "tempo": TempoJudge,
    "tags": Tags,
}


def found_by(judge: str, sound: Path) -> Path:
    """The file for what a judge finds in a WAV file."""
    return sound.with_suffix(f".{judge}.npy")


def main() -> None:
    """Does what standard input asks for, judge by judge."""
    wanted: dict[str, list[Path]] = {name: [] for name in JUDGES}
    for line in sys.stdin:
        name, path = line.rstrip("\n").split(" ", 1)
        if not found_by(name, Path(path)).exists():
            wanted[name].append(Path(path))
    for name, sounds in wanted.items():
        judge = JUDGES[name]() if sounds else None
        for sound in sounds:
            assert judge
            partial = sound.with_suffix(f".{os.getpid()}.part")
            with partial.open("wb") as file:
                np.save(file, judge(sound))
            partial.replace(found_by(name, sound))


if __name__ == "__main__":
    main()
