"""Seed images: the built-in ones, loops composed by this project, each a whole number of bars in 512 columns; and those
of the operator's folder, which may hold masks, too.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from riffusion.errors import UnknownReference
from riffusion.requests import is_name


@dataclass(frozen=True)
class Seed:
    """A seed image's entry in the index."""

    name: str
    title: str
    bpm: float
    bars: int
    beats_per_bar: int


@cache
def list_seeds() -> tuple[Seed, ...]:
    """All seed images, in the order of the index."""
    index = json.loads(files(__name__).joinpath("index.json").read_text(encoding="utf-8"))
    return tuple(Seed(**entry) for entry in index)


def has_seed(name: str, folder: Path | None = None) -> bool:
    """Whether `open_seed` opens it."""
    return _find(name, folder) is not None


def open_seed(name: str, folder: Path | None = None) -> bytes:
    """The PNG file of a seed image: 512 × 512 pixels, with EXIF, and BPM and bars in its text chunks.

    Args:
        folder: of the operator's own images, NAME.png, of any size; they replace built-in ones of the same name.

    Raises:
        UnknownReference: no seed image has this name.
    """
    found = _find(name, folder)
    if found is None:
        names = ", ".join(seed.name for seed in list_seeds())
        raise UnknownReference(f"no seed image is called {name!r}; there are {names}", field="seed_image")
    return found.read_bytes()


def _find(name: str, folder: Path | None) -> Traversable | None:
    if not is_name(name):  # names come from outside: none leads out of the folder
        return None
    own = folder / f"{name}.png" if folder else None
    if own and own.is_file():
        return own
    return files(__name__).joinpath(f"{name}.png") if any(seed.name == name for seed in list_seeds()) else None
