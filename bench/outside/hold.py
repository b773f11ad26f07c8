"""How well two windows of a piece go together: key, beat and timbre. Pure functions on what judges found in them.

Notes are rows [N, 4]: start and end in seconds, MIDI pitch, loudness. Onsets are their strength [F].
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outside.harmony import in_scale, scale
from outside.judges.onsets import RATE

Floats = npt.NDArray[np.float64]

_OFF_TEMPO = 0.04  # of the tempo, which a window's may be off
_TEMPI = 33  # that are tried


def notes_within(notes: Floats, begin: float, end: float) -> Floats:
    """What sounds of the notes [N, 4] from `begin` to `end`, in seconds of the piece."""
    cut = notes.copy()
    cut[:, :2] = cut[:, :2].clip(begin, end)
    return cut[cut[:, 1] > cut[:, 0]]


def one_key(first: Floats, second: Floats) -> float:
    """The share of the notes' time that lies in the key that fits both windows best, 0 to 1; NaN without notes.

    Both windows weigh the same.
    """
    keys = [scale(tonic) for tonic in range(12)]
    return max((in_scale(first, key) + in_scale(second, key)) / 2 for key in keys)


@dataclass(frozen=True)
class Beat:
    """The beat of one window."""

    hertz: float
    phase: float
    """Beats from one beat to the window's middle, of which only the fraction means something."""


def beat_of(onsets: Floats, bpm: float) -> Beat:
    """The beat near a tempo that the onsets follow best: where their Fourier transform, Hann-windowed, is largest."""
    weighted = (onsets - onsets.mean()) * np.hanning(len(onsets))
    time = (np.arange(len(onsets)) - (len(onsets) - 1) / 2) / RATE
    tried = bpm / 60 * np.linspace(1 - _OFF_TEMPO, 1 + _OFF_TEMPO, _TEMPI)
    found = np.exp(-2j * np.pi * np.outer(tried, time)) @ weighted
    best = int(np.abs(found).argmax())
    return Beat(float(tried[best]), float(np.angle(found[best]) / (2 * np.pi)))


def beat_jump(first: Beat, second: Beat, seconds: float) -> float:
    """How far the beats of two windows miss each other half-way between their middles, which are `seconds` apart.

    In beats, 0 to 0.5; 0.25 on average for beats that have nothing to do with each other.
    """
    ahead = first.phase + first.hertz * seconds / 2
    back = second.phase - second.hertz * seconds / 2
    return float(abs((ahead - back + 0.5) % 1 - 0.5))


def alike(first: Floats, second: Floats) -> float:
    """The cosine of two windows' standardised features [D], -1 to 1."""
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
