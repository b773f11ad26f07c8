"""One training a folder at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riffusion.errors import SetupError


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """The block has the folder for itself and the processes that it was launched with, of which the first locks it.

    Raises:
        SetupError: another training uses it, or it can't be written.
    """
    if int(os.environ.get("RANK", "0")):  # set by torchrun and by accelerate, before there is an Accelerator
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("wb")
    except OSError as error:
        raise SetupError(f"Can't write to {folder} ({error.strerror}): choose another --output.") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(
                f"Another training uses {folder}: wait until it ends, or choose another --output."
            ) from None
        yield
