"""Files and folders that are there whole or not at all, also after a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from riffusion.durable import sync


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that gets its name after the block: a kill or an error leaves the old one, or none.

    Folders that are missing are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            yield file
        sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync(path.parent)


def publish_folder(partial: Path, folder: Path) -> None:
    """Gives a folder whose files are all written its name, once they are on disk."""
    for path in partial.rglob("*"):
        sync(path)
    sync(partial)
    partial.rename(folder)
    sync(folder.parent)
