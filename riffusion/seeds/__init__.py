"""The built-in seed images: loops composed by this project, each a whole number of bars in 512 columns."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from riffusion.errors import UnknownReference


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


def open_seed(name: str) -> bytes:
    """The PNG file of a seed image: 512 × 512 pixels, with EXIF, and BPM and bars in its text chunks.

    Raises:
        UnknownReference: no seed image has this name.
    """
    names = [seed.name for seed in list_seeds()]
    if name not in names:
        raise UnknownReference(f"no seed image is called {name!r}; there are {', '.join(names)}", field="seed_image")
    return files(__name__).joinpath(f"{name}.png").read_bytes()
