"""The folder of a server's temporary files. It goes when the server stops or, where that was killed, at the next start.

Its processes hold a lock on it: it is free once all of them are gone, which a process id wouldn't tell for sure.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "riffusion-api-"


def make_folder() -> Path:
    """A new folder of this user's alone, held by this process and all that are forked from it.

    Removes those of servers that were killed.
    """
    for other in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, held, no folder at all, or gone meanwhile
            _remove(other)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(BlockingIOError, FileNotFoundError):  # another start has taken it for one that was left
            _hold(folder)
            if folder.exists():
                return folder


def _remove(folder: Path) -> None:
    descriptor = _hold(folder)
    try:
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _hold(folder: Path) -> int:
    """Holds a folder as long as the descriptor is open, here or in a forked process.

    Raises:
        BlockingIOError: another process holds it.
        OSError: it is no folder, but a link to one for example, or another user's.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
