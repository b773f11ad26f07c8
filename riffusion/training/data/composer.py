"""Composes short pieces: a kind, a genre, a key, a tempo, and the notes of one to four parts.

Everything follows from the given `random.Random`: the same seed composes the same piece. Pieces start on the downbeat
and last `BARS` bars of 4/4, which covers a clip at every tempo.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from riffusion.training.data.music import (
    BASSES,
    GENRES,
    INSTRUMENT,
    INSTRUMENTS,
    KINDS,
    KITS,
    TEMPI,
    Genre,
    Instrument,
    Kind,
    Mood,
)
from riffusion.training.data.piece import Note, Part, Piece

BARS = 4
STEPS = 16  # of a bar: sixteenth notes
KIND_WEIGHTS: dict[Kind, float] = {"drums": 0.15, "bass": 0.14, "solo": 0.27, "chords": 0.16, "full": 0.28}

_SCALES: dict[Mood, tuple[int, ...]] = {"happy": (0, 2, 4, 5, 7, 9, 11), "sad": (0, 2, 3, 5, 7, 8, 10)}
_ACCENT = {"x": 1.0, "o": 0.66}
_KICK, _CRASH, _TOMS = 36, 49, (50, 47, 45, 43)


def compose(
    rng: Random,
    kind: Kind | None = None,
    genre: Genre | None = None,
    lead: Instrument | None = None,
    bpm: float | None = None,
) -> Piece:
    """A new piece; what isn't given is drawn at random. A `lead` is only used by the kinds that have one."""
    kind = kind or rng.choices(KINDS, [KIND_WEIGHTS[each] for each in KINDS])[0]
    genre = genre or rng.choice(GENRES)
    bpm = bpm or _tempo(rng, genre)
    mood: Mood = "sad" if rng.random() < genre.minor else "happy"
    key = rng.randrange(12)
    harmony = _Harmony(genre, mood, key, rng.choice(genre.progressions))
    if kind == "drums":
        return Piece(kind, genre, None, bpm, mood, key, (_drums(rng, genre, alone=True),))
    if kind == "bass":
        return Piece(kind, genre, None, bpm, mood, key, (_bass(rng, harmony, alone=True),))
    if kind == "chords":
        lead = lead or rng.choice([each for each in INSTRUMENTS if each.chordal])
        return Piece(kind, genre, lead, bpm, mood, key, (_chords(rng, harmony, lead, alone=True),))
    lead = lead or rng.choice(INSTRUMENTS)
    melody = _melody(rng, harmony, lead, bpm)
    parts = (melody,) if kind == "solo" else (melody, *_backing(rng, harmony))
    return Piece(kind, genre, lead, bpm, mood, key, parts)


@dataclass(frozen=True)
class _Harmony:
    """The chords of a piece, one degree of the scale a bar."""

    genre: Genre
    mood: Mood
    key: int
    degrees: tuple[int, ...]

    def pitch_class(self, degree: int) -> int:
        """Semitones above C of a scale degree; degrees from 7 on lie in higher octaves."""
        octave, step = divmod(degree, 7)
        return self.key + 12 * octave + _SCALES[self.mood][step]

    def chord(self, bar: int) -> tuple[int, ...]:
        """Pitch classes (0 to 11) of a bar's chord, root first."""
        root = self.degrees[bar % len(self.degrees)]
        tones = (0, 2, 4, 6) if self.genre.sevenths else (0, 2, 4)
        return tuple(self.pitch_class(root + tone) % 12 for tone in tones)


def _tempo(rng: Random, genre: Genre) -> float:
    """A tempo of the genre's own range three times in four, else any, so that models learn tempo apart from genre."""
    low, high = genre.tempi if rng.random() < 0.75 else (TEMPI[0], TEMPI[-1])
    return rng.choice([bpm for bpm in TEMPI if low <= bpm <= high])


def _onset(genre: Genre, bar: int, step: int) -> float:
    """Beats from the start of the piece to a sixteenth step, the genre's swing applied to the off-beat eighths."""
    beat, quarter = divmod(step, 4)
    within = (0.0, genre.swing / 2, genre.swing, (1 + genre.swing) / 2)[quarter]
    return 4.0 * bar + beat + within


def _velocity(rng: Random, level: float, step: int, mark: str = "x") -> int:
    """A MIDI velocity: louder on the beats, a little uneven as a player is."""
    accent = 1.0 if step % 8 == 0 else 0.93 if step % 4 == 0 else 0.84
    return max(1, min(127, round(level * accent * _ACCENT[mark] * rng.uniform(0.93, 1.05))))


def _on_every_beat(pattern: str, mark: str) -> str:
    """The pattern with its silent beats struck too: alone, an instrument has to carry the tempo itself."""
    return "".join(mark if step % 4 == 0 and each == "." else each for step, each in enumerate(pattern))


def _drums(rng: Random, genre: Genre, *, alone: bool = False) -> Part:
    kick, snare, hat = rng.choice(genre.kick), rng.choice(genre.snare), rng.choice(genre.hat)
    if alone and rng.random() < 0.15:
        hat = "x.x.x.x.x.x.x.x."
    # Kick, snare and toms are the picture's clearest marks of the beat; cymbals stay behind them.
    voices = ((kick, _KICK, 118), (snare, genre.snare_pitch, 110), (hat, genre.hat_pitch, 84))
    notes = []
    for bar in range(BARS):
        fill = bar % 2 == 1 and rng.random() < 0.35
        for pattern, pitch, level in voices:
            for step, mark in enumerate(pattern):
                if mark == "." and not (pitch == _KICK and step % 2 == 0 and rng.random() < 0.04):
                    continue
                if fill and step >= 12 and pitch != _KICK:
                    continue
                loud = _velocity(rng, level, step, "x" if mark == "." else mark)
                notes.append(Note(_onset(genre, bar, step), 0.2, pitch, loud))
        if fill:
            notes += [
                Note(_onset(genre, bar, step), 0.2, rng.choice(_TOMS), _velocity(rng, 108, step))
                for step in ((12, 13, 14, 15) if rng.random() < 0.5 else (12, 14))
            ]
    if rng.random() < 0.25:
        notes.append(Note(0.0, 1.0, _CRASH, 88))
    return Part(KITS[genre.kit], tuple(notes), 0.8, is_drums=True)


def _bass(rng: Random, harmony: _Harmony, *, alone: bool = False) -> Part:
    genre = harmony.genre
    pattern = rng.choice(genre.bass)
    if alone and rng.random() < 0.8:
        pattern = _on_every_beat(pattern, "1")
    lowest = rng.choice((28, 31, 33))
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    gate = rng.uniform(0.6, 0.95)
    notes = []
    for bar in range(BARS):
        chord = harmony.chord(bar)
        root = lowest + (chord[0] - lowest) % 12
        for step, following in pairwise([*steps, STEPS + steps[0]]):
            mark = pattern[step]
            if step and rng.random() < 0.1:
                mark = rng.choice("1358")
            tone = {"1": 0, "3": 1, "5": 2, "7": len(chord) - 1, "8": 0}[mark]
            pitch = root + (chord[tone] - chord[0]) % 12 + (12 if mark == "8" else 0)
            length = min(2.0, (following - step) / 4) * gate
            notes.append(Note(_onset(genre, bar, step), length, pitch, _velocity(rng, 112, step)))
    return Part(BASSES[genre.bass_sound], tuple(notes), 0.8)


def _voicing(chord: tuple[int, ...], lowest: int, *, power: bool) -> list[int]:
    """A chord in close position above `lowest`; a distorted guitar takes root, fifth and octave instead."""
    if power:
        root = lowest + (chord[0] - lowest) % 12
        return [root, root + (chord[2] - chord[0]) % 12, root + 12]
    return sorted(lowest + (tone - lowest) % 12 for tone in chord)


def _chords(rng: Random, harmony: _Harmony, instrument: Instrument, *, alone: bool = False) -> Part:
    genre = harmony.genre
    pattern = rng.choice(genre.comp)
    if alone and rng.random() < 0.75:
        pattern = _on_every_beat(pattern, "x")
    power = instrument.name == "electric guitar"
    lowest = (40 if power else 52) + rng.choice((0, 3, 5))
    gate = rng.choice((0.45, 0.9))
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    notes = []
    for bar in range(BARS):
        voices = _voicing(harmony.chord(bar), lowest, power=power)
        for step, following in pairwise([*steps, STEPS + steps[0]]):
            start, length = _onset(genre, bar, step), (following - step) / 4 * gate
            loud = _velocity(rng, 100, step, pattern[step])
            notes += [Note(start, length, pitch, loud) for pitch in voices]
    # Comping stays far behind the lead, so that it is clear which of the two is the lead.
    return Part(instrument.program, tuple(notes), 1.0 if alone else 0.3)


def _rhythm(rng: Random, bpm: float) -> list[int]:
    """The steps of one bar on which a melody moves: quarters and eighths, a few sixteenths where the tempo is slow."""
    cells = ("x...", "x.x.", "x.xx", "xxxx", "....")
    weights = (0.3, 0.5, 0.08, 0.04, 0.08) if bpm <= 110 else (0.42, 0.5, 0.0, 0.0, 0.08)
    bar = "x" + "".join(rng.choices(cells, weights)[0] for _ in range(4))[1:]
    return [step for step, mark in enumerate(bar) if mark == "x"]


def _melody(rng: Random, harmony: _Harmony, instrument: Instrument, bpm: float) -> Part:
    """Two bars in call and response, then a variation (A B A C), on the scale, with chord tones on the strong beats."""
    genre = harmony.genre
    first, second = _rhythm(rng, bpm), _rhythm(rng, bpm)
    span = (instrument.low, instrument.high)
    scale = [pitch for pitch in range(span[0], span[1] + 1) if pitch % 12 in _scale_classes(harmony)]
    place = rng.randrange(len(scale) // 4, 3 * len(scale) // 4)
    gate = rng.choice((0.6, 0.92, 0.92))
    notes = []
    for bar, steps in enumerate((first, second, first, _rhythm(rng, bpm))):
        chord = harmony.chord(bar)
        for step, following in pairwise([*steps, STEPS]):
            place = max(0, min(len(scale) - 1, place + rng.choice((-2, -1, -1, 0, 1, 1, 2, rng.choice((-4, 4))))))
            if step % 8 == 0:
                place = min(range(len(scale)), key=lambda i: (scale[i] % 12 not in chord, abs(i - place)))
            length = (following - step) / 4 * gate
            loud = _velocity(rng, 105, step)
            notes.append(Note(_onset(genre, bar, step), length, scale[place], loud))
    return Part(instrument.program, tuple(notes), 1.0)


def _scale_classes(harmony: _Harmony) -> set[int]:
    return {harmony.pitch_class(degree) % 12 for degree in range(7)}


def _backing(rng: Random, harmony: _Harmony) -> list[Part]:
    """Bass, with drums in four arrangements of five, and with chords in one of two."""
    parts = [_bass(rng, harmony)]
    with_drums = rng.random() < 0.8
    if with_drums:
        parts.append(_drums(rng, harmony.genre))
    if with_drums and rng.random() < 0.6:
        parts.append(_chords(rng, harmony, INSTRUMENT[rng.choice(harmony.genre.comp_instruments)]))
    return parts
