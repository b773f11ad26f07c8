"""A composed piece: its notes, and the facts that captions may state about it."""

from dataclasses import dataclass

from riffusion.training.data.keys import key_name
from riffusion.training.data.music import Genre, Instrument, Kind, Mood


@dataclass(frozen=True)
class Note:
    """One note."""

    start: float
    """Beats from the start of the piece."""
    length: float
    """In beats."""
    pitch: int
    """MIDI pitch, 0 to 127."""
    velocity: int
    """MIDI velocity, 1 to 127."""


@dataclass(frozen=True)
class Part:
    """The notes of one instrument."""

    program: int
    """A General MIDI program from 0, or a drum kit's."""
    notes: tuple[Note, ...]
    level: float
    """Loudness (RMS) in the mix."""
    is_drums: bool = False


@dataclass(frozen=True)
class Piece:
    """A composition and its facts."""

    kind: Kind
    genre: Genre
    lead: Instrument | None
    """None for drums and bass alone."""
    bpm: float
    mood: Mood
    key: int
    """Semitones above C, 0 to 11."""
    parts: tuple[Part, ...]

    @property
    def has_drums(self) -> bool:
        """Whether a drum kit plays in it."""
        return any(part.is_drums for part in self.parts)

    @property
    def key_name(self) -> str:
        """Such as "A minor"; meaningless for drums alone."""
        return key_name(self.key, self.mood)
