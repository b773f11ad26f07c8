"""What is measured of each clip, from what the judges found in it.

A clip in which no note or no pitch is heard counts as wrong, so that silence is no way to a better figure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from outside import fidelity, harmony
from outside.clips import Clip
from outside.listen import found_by
from riffusion.training.evaluation.adherence import same_tempo, same_tempo_or_octave

Floats = npt.NDArray[np.float64]
TONAL = ("bass", "solo", "chords", "full")
_AUDIBLE_DB = -30.0  # below the clip's loudest frame: quieter ones have no pitch to speak of


@dataclass(frozen=True)
class Heard:
    """A clip's sound in one column, and the judges' findings."""

    clip: Clip
    path: Path

    def found(self, judge: str) -> Floats:
        """What a judge found."""
        rows: Floats = np.load(found_by(judge, self.path))
        return rows

    @cached_property
    def notes(self) -> Floats:
        """Rows [N, 4]: start, end, MIDI pitch, loudness."""
        return self.found("notes")

    @cached_property
    def samples(self) -> npt.NDArray[np.float32]:
        """[T] at 44.1 kHz."""
        samples: npt.NDArray[np.float32] = soundfile.read(self.path, dtype="float32")[0]
        return samples

    @property
    def rate(self) -> int:
        """Samples a second."""
        return int(soundfile.info(self.path).samplerate)

    @property
    def seconds(self) -> float:
        """The length."""
        return len(self.samples) / self.rate

    @property
    def audible_pitch(self) -> Floats:
        """Rows [F, 3] of the pitch judge where the clip isn't quiet."""
        frames = self.found("pitch")
        return frames[frames[:, 2] >= _AUDIBLE_DB]


# Compares a sound with a clip's composition and caption: with its own, or to show chance with another's.
Measured = Callable[[Heard, Clip], float]


def _scale(heard: Heard, clip: Clip) -> frozenset[int]:
    """The key that the caption states, else the one that fits the notes best."""
    stated = clip.stated.key
    return harmony.scale_of_key(stated) if stated else harmony.best_scale(heard.notes)


def _in_key(heard: Heard, clip: Clip) -> float:
    return harmony.in_scale(heard.notes, _scale(heard, clip)) if len(heard.notes) else 0.0


def _pitch_confidence(heard: Heard, _: Clip) -> float:
    return float(heard.audible_pitch[:, 1].mean()) if len(heard.audible_pitch) else 0.0


def _cents(heard: Heard, _: Clip) -> float:
    return fidelity.cents_off(heard.audible_pitch[:, 0]) if len(heard.audible_pitch) else fidelity.RANDOM_CENTS


def _harmonicity(heard: Heard, _: Clip) -> float:
    return fidelity.harmonicity(heard.samples, heard.rate, heard.notes) if len(heard.notes) else 0.0


def _chords(heard: Heard, clip: Clip) -> float:
    return harmony.chords_in_scale(heard.found("chords"), _scale(heard, clip)) if len(heard.notes) else 0.0


def _composed_chords(heard: Heard, clip: Clip) -> float:
    return harmony.chords_as_composed(heard.found("chords"), harmony.composed_chords(clip.piece, heard.seconds))


def _tempo(heard: Heard, clip: Clip) -> float:
    if not clip.stated.bpm:
        return float("nan")
    return float(same_tempo(heard.found("tempo")[0], clip.stated.bpm))


def _tempo_octave(heard: Heard, clip: Clip) -> float:
    if not clip.stated.bpm:
        return float("nan")
    return float(same_tempo_or_octave(heard.found("tempo")[0], clip.stated.bpm))


@dataclass(frozen=True)
class Measure:
    """A figure: the mean over the clips of some kinds."""

    name: str
    kinds: tuple[str, ...]
    of: Measured
    compared: bool = False
    """Whether it compares the sound with its caption or composition, so that another's shows chance."""
    rendered_only: bool = False
    """Whether it compares with the composition, which a generated clip doesn't play."""

    def mean(self, sounds: Sequence[Heard], shift: int = 0) -> float:
        """The mean over the clips to which it applies; `shift` compares each with the clip so many places later."""
        own = [each for each in sounds if each.clip.piece.kind in self.kinds]
        others = [own[(n + shift) % len(own)].clip for n in range(len(own))]
        values = [self.of(heard, other) for heard, other in zip(own, others, strict=True)]
        return float(np.nanmean(values)) if values else float("nan")


MEASURES = (
    Measure("in_key", TONAL, _in_key),
    *(Measure(f"in_key {kind}", (kind,), _in_key) for kind in TONAL),
    Measure("pitch_confidence", ("solo",), _pitch_confidence),
    Measure("cents", ("solo", "bass"), _cents),
    Measure("cents solo", ("solo",), _cents),
    Measure("cents bass", ("bass",), _cents),
    Measure("polyphony", ("full",), lambda heard, _: fidelity.polyphony(heard.notes, heard.seconds)),
    Measure("polyphony chords", ("chords",), lambda heard, _: fidelity.polyphony(heard.notes, heard.seconds)),
    Measure("notes solo", ("solo",), lambda heard, _: len(heard.notes)),
    Measure("notes full", ("full",), lambda heard, _: len(heard.notes)),
    Measure("silent solo", ("solo",), lambda heard, _: fidelity.silent_share(heard.notes, heard.seconds)),
    Measure("harmonicity", ("solo", "chords"), _harmonicity),
    Measure("chords", ("chords",), _chords),
    Measure("chords full", ("full",), _chords),
    Measure("chords composed", ("chords",), _composed_chords, compared=True, rendered_only=True),
    Measure("onset", ("drums",), lambda heard, _: fidelity.onset_peak(heard.samples)),
    Measure("tempo", (*TONAL, "drums"), _tempo, compared=True),
    Measure("tempo octave", (*TONAL, "drums"), _tempo_octave, compared=True),
)
