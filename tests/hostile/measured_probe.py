"""Probes files as the API does, and prints what each took: `python -m tests.hostile.measured_probe KIND FILE...`.

A process of its own, because the system reports only the maximum memory of all children that a process ever had.
"""

import json
import resource
import sys
from pathlib import Path

from riffusion.audio.probe import probe_audio
from riffusion.errors import RiffusionError
from riffusion.spectrogram.probe import probe_picture

MAX_SECONDS = 600


def _main(kind: str, *paths: str) -> None:
    before = 0.0
    for path in map(Path, paths):
        try:
            if kind == "picture":
                probe_picture(path)
            else:
                probe_audio(path, max_seconds=MAX_SECONDS)
            code = "accepted"
        except RiffusionError as error:
            code = error.code
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = children.ru_utime + children.ru_stime
        took = {"cpu_s": spent - before, "child_kib": children.ru_maxrss, "own_kib": _peak_kib()}
        print(json.dumps({"name": path.name, "code": code, **took}), flush=True)  # noqa: T201
        before = spent


def _peak_kib() -> int:
    """Of this program alone: getrusage also counts what ran in the process before it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    _main(*sys.argv[1:])
