"""The built-in seed images: short pieces made by this project, each a whole number of bars in 512 columns."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from riffusion.errors import UnknownReference


@dataclass(frozen=True)
class Seed:
    """One seed image, as the index tells it."""

    name: str
    title: str
    bpm: float
    bars: int
    beats_per_bar: int


@cache
def list_seeds() -> tuple[Seed, ...]:
    """Every seed image, in the index's order."""
    index = json.loads(files(__name__).joinpath("index.json").read_text(encoding="utf-8"))
    return tuple(Seed(**entry) for entry in index)


def open_seed(name: str) -> bytes:
    """The PNG file (512 x 512, EXIF, BPM and bars in its text chunks) of a seed image.

    Raises:
        UnknownReference: no seed image has this name.
    """
    names = [seed.name for seed in list_seeds()]
    if name not in names:
        raise UnknownReference(f"no seed image is called {name!r}; there are {', '.join(names)}", field="seed_image")
    return files(__name__).joinpath(f"{name}.png").read_bytes()
