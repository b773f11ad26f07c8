"""The compositions of the built-in seed images: loops of a whole number of bars, exactly 5.12 s long."""

from dataclasses import dataclass, replace
from random import Random

import numpy as np
import numpy.typing as npt

from riffusion.training.data.composer import compose
from riffusion.training.data.music import GENRE, INSTRUMENT, Kind
from riffusion.training.data.piece import Note, Part, Piece
from riffusion.training.data.soundfont import SAMPLE_RATE, Synth

SECONDS = 5.12


@dataclass(frozen=True)
class SeedLoop:
    """A loop of `bars` bars of 4/4 that last 5.12 s at `bpm`."""

    name: str
    bpm: float
    bars: int
    caption: str
    audio: npt.NDArray[np.float32]
    """Mono samples [T] in ±1 at 44.1 kHz."""


@dataclass(frozen=True)
class _Recipe:
    name: str
    kind: Kind
    genre: str
    lead: str | None
    bars: int
    seed: int
    caption: str


_RECIPES = (
    _Recipe("drums", "drums", "funk", None, 2, 3, "funk drum groove"),
    _Recipe("bass", "bass", "disco", None, 2, 1, "disco bassline"),
    _Recipe("piano", "chords", "house", "piano", 2, 2, "house piano chords"),
    _Recipe("guitar", "solo", "folk", "acoustic guitar", 2, 4, "folk acoustic guitar"),
    _Recipe("band", "full", "rock", "saxophone", 3, 5, "rock band with saxophone solo"),
)


def seed_loops() -> list[SeedLoop]:
    """Renders the five loops.

    Raises:
        ToolMissing: FluidSynth or the soundfont isn't installed.
    """
    loops = []
    for recipe in _RECIPES:
        bpm = recipe.bars * 4 * 60 / SECONDS
        lead = INSTRUMENT[recipe.lead] if recipe.lead else None
        piece = compose(Random(f"seed {recipe.seed}"), recipe.kind, GENRE[recipe.genre], lead, bpm)
        audio = Synth().render(_twice(piece, recipe.bars), 2 * SECONDS)
        # The second repetition: its beginning has the notes that still sound from the loop's end.
        loop = audio[round(SECONDS * SAMPLE_RATE) :]
        loops.append(SeedLoop(recipe.name, bpm, recipe.bars, recipe.caption, loop))
    return loops


def _twice(piece: Piece, bars: int) -> Piece:
    """The first bars of a piece, played twice."""
    return replace(piece, parts=tuple(replace(part, notes=_repeated(part, 4.0 * bars)) for part in piece.parts))


def _repeated(part: Part, beats: float) -> tuple[Note, ...]:
    once = [note for note in part.notes if note.start < beats]
    return tuple(once) + tuple(replace(note, start=note.start + beats) for note in once)
