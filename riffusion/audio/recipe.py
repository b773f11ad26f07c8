"""The request that made a file, read back from the file."""

from pathlib import Path
from typing import Any


def read_recipe(data: bytes | Path) -> dict[str, Any]:
    """The request JSON of a PNG or audio file of ours.

    Raises:
        UnreadableMedia: the file carries none, or is no PNG or audio file.
    """
    raise NotImplementedError
