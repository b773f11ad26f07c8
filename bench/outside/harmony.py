"""Which key notes are in, and whether chords belong to a key or to a composition."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from riffusion.training.data.harmony import SCALES
from riffusion.training.data.keys import KEYS
from riffusion.training.data.music import MOODS, Mood
from riffusion.training.data.piece import Piece

Floats = npt.NDArray[np.float64]


def scale(tonic: int, mood: Mood = "happy") -> frozenset[int]:
    """The pitch classes of a key, major where nothing else is asked for."""
    return frozenset((tonic + step) % 12 for step in SCALES[mood])


def scale_of_key(name: str) -> frozenset[int]:
    """The pitch classes of one of `KEYS`, such as "A minor"."""
    mood, tonic = divmod(KEYS.index(name), 12)
    return scale(tonic, MOODS[mood])


def best_scale(notes: Floats) -> frozenset[int]:
    """The key whose scale holds most of the notes [N, 4], weighted by their lengths."""
    return max((scale(tonic) for tonic in range(12)), key=lambda classes: in_scale(notes, classes))


def in_scale(notes: Floats, classes: frozenset[int]) -> float:
    """The share of the notes' time, 0 to 1, that is spent on these pitch classes; NaN without notes."""
    lengths = notes[:, 1] - notes[:, 0]
    inside = np.isin(np.round(notes[:, 2]).astype(int) % 12, list(classes))
    return float(lengths[inside].sum() / lengths.sum()) if len(notes) else float("nan")


def chords_in_scale(chords: Floats, classes: frozenset[int]) -> float:
    """The share of the time in which a chord is found, and all of it lies on these pitch classes.

    Args:
        chords: rows [N, 14]: start, end, and 1 for each pitch class of the chord.
    """
    lengths = chords[:, 1] - chords[:, 0]
    outside = [each for each in range(12) if each not in classes]
    good = (chords[:, 2:].sum(1) >= 2) & (chords[:, [2 + each for each in outside]].sum(1) == 0)
    return float(lengths[good].sum() / lengths.sum())


def composed_chords(piece: Piece, seconds: float) -> list[tuple[float, frozenset[int]]]:
    """The pitch classes that sound in each beat, or did last, with the beat's end in seconds."""
    beat = 60 / piece.bpm
    notes = [note for part in piece.parts if not part.is_drums for note in part.notes]
    spelled: list[tuple[float, frozenset[int]]] = []
    for n in range(int(np.ceil(seconds / beat))):
        sounding = frozenset(each.pitch % 12 for each in notes if each.start < n + 1 and each.start + each.length > n)
        held = spelled[-1][1] if spelled else frozenset()
        spelled.append((min((n + 1) * beat, seconds), sounding or held))
    return spelled


def chords_as_composed(chords: Floats, composed: Sequence[tuple[float, frozenset[int]]]) -> float:
    """The share of the time in which the chord found holds, or is held by, the chord composed."""
    right, begin = 0.0, 0.0
    for end, classes in composed:
        for start, stop, *bits in chords:
            found = {n for n, bit in enumerate(bits) if bit}
            if len(found) >= 2 and classes and (found <= classes or classes <= found):
                right += max(0.0, min(stop, end) - max(start, begin))
        begin = end
    return right / composed[-1][0]
