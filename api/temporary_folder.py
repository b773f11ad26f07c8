"""The folder of a server's temporary files, deleted when the server stops or, if it was killed, at the next start.

The server's processes hold a lock on it, which is free once all of them have ended; a process id could be reused.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "riffusion-api-"


def make_folder() -> Path:
    """Makes a folder for this user only, locked by this process and all that are forked from it.

    Deletes those of servers that were killed.
    """
    for other in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, locked, not a folder, or deleted meanwhile
            _remove(other)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(BlockingIOError, FileNotFoundError):  # another server has started, and deleted it as unlocked
            _lock(folder)
            if folder.exists():
                return folder


def _remove(folder: Path) -> None:
    descriptor = _lock(folder)
    try:
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _lock(folder: Path) -> int:
    """Locks a folder for as long as the descriptor is open, here or in a forked process.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: it isn't a folder, but a link to one for example, or is another user's.
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
