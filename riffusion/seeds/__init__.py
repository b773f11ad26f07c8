"""The built-in seed images: short pieces made by this project, each a whole number of bars in 512 columns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seed:
    """One seed image, as the index tells it."""

    name: str
    title: str
    bpm: float
    bars: int
    beats_per_bar: int


def list_seeds() -> tuple[Seed, ...]:
    """Every seed image, in the index's order."""
    raise NotImplementedError


def open_seed(name: str) -> bytes:
    """The PNG file (512 x 512, EXIF, BPM and bars in its text chunks) of a seed image.

    Raises:
        UnknownReference: no seed image has this name.
    """
    raise NotImplementedError
