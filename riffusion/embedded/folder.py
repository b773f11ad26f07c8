"""The lock on the data folder: one stack at a time writes to it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from riffusion.errors import SetupError

ATTEMPTS = 20  # the processes of a stack that was just killed may take a moment to end
PAUSE_S = 0.1


@dataclass(frozen=True)
class FolderLock:
    """Held until the last process that has its descriptor open ends."""

    folder: Path
    descriptor: int

    def check(self) -> None:
        """Returns while the folder has the locked file.

        Raises:
            SetupError: it was deleted or replaced; what is written to deleted files would be lost at the next start.
        """
        try:
            if os.path.samestat((self.folder / "lock").stat(), os.fstat(self.descriptor)):
                return
        except FileNotFoundError:
            pass
        raise SetupError(f"{self.folder} was deleted, or the file `lock` in it, so nothing can be kept any more.")


@contextmanager
def hold(folder: Path) -> Iterator[FolderLock]:
    """Locks the folder for this stack alone; creates it where there is none.

    Raises:
        SetupError: it can't be written to, or another stack uses it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"Can't write to {folder} ({reason(error)}); choose another --data folder.") from error
    try:
        if not _lock(descriptor):
            raise SetupError(f"{folder} is in use by another `riffusion up`.")
        yield FolderLock(folder, descriptor)
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """The system's text for an error, without number and path."""
    return os.strerror(error.errno) if error.errno else str(error)


def _lock(descriptor: int) -> bool:
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_S)
        else:
            return True
    return False
