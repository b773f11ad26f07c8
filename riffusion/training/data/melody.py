"""Melodies: phrases of motifs that return, transposed to the chord of the moment, and that end on a chord's tone."""

from dataclasses import dataclass, replace
from itertools import accumulate
from math import pi, sin
from random import Random

from riffusion.training.data.harmony import Harmony
from riffusion.training.data.music import Instrument
from riffusion.training.data.piece import Note, Part
from riffusion.training.data.rhythm import beats_heard, is_strong, onset, velocity, with_following

# A beat's rhythm: quarters and eighths, a few sixteenths where the tempo is slow, a syncopation where it is fast.
_CELLS = ("x...", "x.x.", "x.xx", "x..x", "xxxx", "..x.", "....")
_SLOW, _FAST = (0.3, 0.46, 0.07, 0.05, 0.04, 0.0, 0.08), (0.42, 0.46, 0.0, 0.0, 0.0, 0.04, 0.08)
_MOVES = (-2, -1, -1, 0, 1, 1, 2, -4, 4)  # in steps of the scale
_MOVE_WEIGHTS = (1, 1, 1, 1, 1, 1, 1, 0.5, 0.5)
_GATES = (0.5, 0.7, 0.85, 0.92, 0.92)  # the share of its time that a note sounds: staccato to legato
_BELOW = {2: 0.5, 5: 0.35, 7: 0.15}  # a second voice: thirds, sixths, octaves, in steps of the scale
_GRACE = 0.1  # beats
_LEVEL = 112  # MIDI velocity


@dataclass(frozen=True)
class _Motif:
    length: int
    """In sixteenths."""
    steps: tuple[int, ...]
    """Sixteenths from its start on which a note begins."""
    contour: tuple[int, ...]
    """Each note's distance from the first, in steps of the scale."""
    gate: float


@dataclass(frozen=True)
class _Line:
    """What a whole melody has in common."""

    rng: Random
    harmony: Harmony
    scale: list[int]
    graces: bool
    below: int
    """Steps of the scale from a note to the second voice; 0 without one."""


def draw_melody(rng: Random, harmony: Harmony, instrument: Instrument, bpm: float) -> Part:
    """A melody that fills the piece; its phrase is as long as the clip, so that its end is heard."""
    genre = harmony.genre
    line = _Line(
        rng,
        harmony,
        harmony.scale(instrument.low, instrument.high),
        graces=instrument.ornaments and rng.random() < 0.5,
        below=_second_voice(rng) if instrument.chordal and rng.random() < 0.25 else 0,
    )
    unit = genre.steps // 2 if genre.beats == 4 and beats_heard(bpm) < 10 else genre.steps
    form = _form(max(2, round(beats_heard(bpm) * 4 / unit)))
    motifs = {letter: _draw_motif(rng, unit, bpm) for letter in "ABC"}
    place = rng.randrange(len(line.scale) // 4, 3 * len(line.scale) // 4)
    notes: list[Note] = []
    for number in range(genre.bars * genre.steps // unit):
        within, start = number % len(form), number * unit
        motif = motifs[form[within]]
        places = _place(line, motif, start, place, ends=within == len(form) - 1)
        place = places[-1]
        swell = 0.87 + 0.13 * sin(pi * (within + 0.5) / len(form))
        notes += _play(line, motif, start, places, swell)
    return Part(instrument.program, tuple(notes), 1.0)


def _form(length: int) -> str:
    """The order of the motifs: call and response, and a variation at the end of an even number (A B A C)."""
    form = "".join("AB"[n % 2] for n in range(length))
    return "AA" if length == 2 else form if length % 2 else form[:-1] + "C"


def _second_voice(rng: Random) -> int:
    return rng.choices(list(_BELOW), list(_BELOW.values()))[0]


def _draw_motif(rng: Random, unit: int, bpm: float) -> _Motif:
    cells = rng.choices(_CELLS, _SLOW if bpm <= 110 else _FAST, k=unit // 4)
    steps = tuple(step for step, mark in enumerate("x" + "".join(cells)[1:]) if mark == "x")
    moves = rng.choices(_MOVES, _MOVE_WEIGHTS, k=len(steps) - 1)
    contour = accumulate(moves, lambda place, move: max(-3, min(4, place + move)), initial=0)
    return _Motif(unit, steps, tuple(contour), rng.choice(_GATES))


def _place(line: _Line, motif: _Motif, start: int, near: int, *, ends: bool) -> list[int]:
    """Where in the scale each note lies: the contour from a chord tone near the last note, strong beats on chord tones.

    Args:
        start: Sixteenths from the start of the piece.
        near: The place of the last note.
        ends: Whether a phrase ends here, on a chord tone.
    """
    steps_a_bar = line.harmony.genre.steps
    lowest, highest = -min(motif.contour), len(line.scale) - 1 - max(motif.contour)
    near = max(lowest, min(highest, near + line.rng.choice((-2, -1, 1, 2))))
    first = _nearest(line, start, near)
    places = []
    for step, distance in zip(motif.steps, motif.contour, strict=True):
        place = max(0, min(len(line.scale) - 1, first + distance))
        last = ends and step == motif.steps[-1]
        strong = is_strong(line.harmony.genre, (start + step) % steps_a_bar)
        places.append(_nearest(line, start + step, place) if last or strong else place)
    return places


def _nearest(line: _Line, step: int, place: int) -> int:
    """The place in the scale of the chord tone nearest to `place`."""
    chord = line.harmony.chord(*divmod(step, line.harmony.genre.steps))
    return min(range(len(line.scale)), key=lambda i: (line.scale[i] % 12 not in chord, abs(i - place)))


def _play(line: _Line, motif: _Motif, start: int, places: list[int], swell: float) -> list[Note]:
    """The notes of a motif at `start` sixteenths, each at its place in the scale, `swell` times as loud as at most."""
    genre = line.harmony.genre
    notes = []
    for (step, following), place in zip(with_following(list(motif.steps), motif.length), places, strict=True):
        bar, step_in_bar = divmod(start + step, genre.steps)
        loud = velocity(line.rng, genre, _LEVEL * swell, step_in_bar)
        length = (following - step) / 4 * motif.gate
        note = Note(onset(genre, bar, step_in_bar), length, line.scale[place], loud)
        notes.append(note)
        if line.below and step % 4 == 0 and place >= line.below:
            notes.append(replace(note, pitch=line.scale[place - line.below]))
        if line.graces and note.start and step % 4 == 0 and line.rng.random() < 0.15:
            beside = line.scale[place + 1 if place + 1 < len(line.scale) else place - 1]
            notes.append(Note(note.start - _GRACE, _GRACE, beside, round(0.85 * loud)))
    return notes
