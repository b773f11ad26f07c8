"""The release before this one, to be run beside it: its source as it lies in git, in the same environment.

A release that changes what lies in Redis is tested against the one that it replaces, so this is its commit.
"""

import io
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMIT = "2575138cba746b578876cf0015bb2ccb6eadccd1"
PARTS = ("api", "riffusion", "worker", "tests")


class NoHistory(Exception):
    """The clone has no history that goes back to it."""


def unpack(folder: Path) -> Path:
    """Its source, in a new folder. Raises NoHistory."""
    command = ["git", "-C", str(ROOT), "archive", COMMIT, *PARTS]
    packed = subprocess.run(command, capture_output=True, check=False)
    if packed.returncode:
        raise NoHistory(f"commit {COMMIT}, the release before, isn't in this clone's history")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """What makes Python take the packages from there, whatever folder it is started in."""
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
