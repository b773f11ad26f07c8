"""Composes short pieces: a kind, a genre, a key, a tempo, and the notes of one to four parts.

Everything follows from the given `random.Random`: the same seed composes the same piece. Pieces start on the downbeat
and last as many bars as cover a clip at every tempo.
"""

from random import Random

from riffusion.training.data.harmony import Harmony, draw_harmony
from riffusion.training.data.melody import draw_melody
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
)
from riffusion.training.data.piece import Note, Part, Piece
from riffusion.training.data.rhythm import on_every_beat, onset, velocity, with_following

KIND_WEIGHTS: dict[Kind, float] = {"drums": 0.13, "bass": 0.12, "solo": 0.32, "chords": 0.15, "full": 0.28}

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
    harmony = draw_harmony(rng, genre, bpm)
    mood, key = harmony.mood, harmony.key
    if kind == "drums":
        return Piece(kind, genre, None, bpm, mood, key, (_drums(rng, genre, alone=True),))
    if kind == "bass":
        return Piece(kind, genre, None, bpm, mood, key, (_bass(rng, harmony, alone=True),))
    if kind == "chords":
        lead = lead or rng.choice([each for each in INSTRUMENTS if each.chordal])
        return Piece(kind, genre, lead, bpm, mood, key, (_chords(rng, harmony, lead, alone=True),))
    lead = lead or rng.choice(INSTRUMENTS)
    melody = draw_melody(rng, harmony, lead, bpm)
    parts = (melody,) if kind == "solo" else (melody, *_backing(rng, harmony))
    return Piece(kind, genre, lead, bpm, mood, key, parts)


def _tempo(rng: Random, genre: Genre) -> float:
    """A tempo of the genre's own range three times in four, else any, so that models learn tempo apart from genre."""
    low, high = genre.tempi if rng.random() < 0.75 else (TEMPI[0], TEMPI[-1])
    return rng.choice([bpm for bpm in TEMPI if low <= bpm <= high])


def _drums(rng: Random, genre: Genre, *, alone: bool = False) -> Part:
    kick, snare, hat = rng.choice(genre.kick), rng.choice(genre.snare), rng.choice(genre.hat)
    if alone and rng.random() < 0.15:
        hat = "x." * (genre.steps // 2)
    # Kick, snare and toms are the picture's clearest marks of the beat; cymbals stay behind them.
    voices = ((kick, _KICK, 118), (snare, genre.snare_pitch, 110), (hat, genre.hat_pitch, 84))
    notes = []
    for bar in range(genre.bars):
        fill = bar % 2 == 1 and rng.random() < 0.35
        for pattern, pitch, level in voices:
            for step, mark in enumerate(pattern):
                if mark == "." and not (pitch == _KICK and step % 2 == 0 and rng.random() < 0.04):
                    continue
                if fill and step >= genre.steps - 4 and pitch != _KICK:
                    continue
                loud = velocity(rng, genre, level, step, "x" if mark == "." else mark)
                notes.append(Note(onset(genre, bar, step), 0.2, pitch, loud))
        if fill:
            notes += [
                Note(onset(genre, bar, step), 0.2, rng.choice(_TOMS), velocity(rng, genre, 108, step))
                for step in range(genre.steps - 4, genre.steps, rng.choice((1, 2)))
            ]
    if rng.random() < 0.25:
        notes.append(Note(0.0, 1.0, _CRASH, 88))
    return Part(KITS[genre.kit], tuple(notes), 0.8, is_drums=True)


def _bass(rng: Random, harmony: Harmony, *, alone: bool = False) -> Part:
    genre = harmony.genre
    pattern = rng.choice(genre.bass)
    if alone and rng.random() < 0.8:
        pattern = on_every_beat(pattern, "1")
    lowest = rng.choice((28, 31, 33))
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    gate = rng.uniform(0.6, 0.95)
    notes = []
    for bar in range(genre.bars):
        for step, following in with_following(steps, genre.steps + steps[0]):
            chord = harmony.chord(bar, step)
            root = lowest + (chord[0] - lowest) % 12
            mark = pattern[step]
            if step and rng.random() < 0.1:
                mark = rng.choice("1358")
            tone = {"1": 0, "3": 1, "5": 2, "7": len(chord) - 1, "8": 0}[mark]
            pitch = root + (chord[tone] - chord[0]) % 12 + (12 if mark == "8" else 0)
            length = min(2.0, (following - step) / 4) * gate
            notes.append(Note(onset(genre, bar, step), length, pitch, velocity(rng, genre, 112, step)))
    return Part(BASSES[genre.bass_sound], tuple(notes), 0.8)


def _voicing(chord: tuple[int, ...], lowest: int, *, power: bool) -> list[int]:
    """A chord in close position above `lowest`; a distorted guitar takes root, fifth and octave instead."""
    if power:
        root = lowest + (chord[0] - lowest) % 12
        return [root, root + (chord[2] - chord[0]) % 12, root + 12]
    return sorted(lowest + (tone - lowest) % 12 for tone in chord)


def _chords(rng: Random, harmony: Harmony, instrument: Instrument, *, alone: bool = False) -> Part:
    genre = harmony.genre
    pattern = rng.choice(genre.comp)
    if alone and (genre.beats == 3 or rng.random() < 0.75):
        pattern = on_every_beat(pattern, "x")
    power = instrument.name == "electric guitar"
    lowest = (40 if power else 52) + rng.choice((0, 3, 5))
    gate = rng.choice((0.45, 0.9))
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    notes = []
    for bar in range(genre.bars):
        for step, following in with_following(steps, genre.steps + steps[0]):
            chord = harmony.chord(bar, step)
            voices = _voicing(chord, lowest, power=power)
            if genre.beats == 3 and step == 0:
                voices = _voicing(chord[:1], 40, power=False)  # a bass note on one, chords on two and three
            start, length = onset(genre, bar, step), (following - step) / 4 * gate
            loud = velocity(rng, genre, 100, step, pattern[step])
            notes += [Note(start, length, pitch, loud) for pitch in voices]
    # Comping stays far behind the lead, so that it is clear which of the two is the lead.
    return Part(instrument.program, tuple(notes), 1.0 if alone else 0.3)


def _backing(rng: Random, harmony: Harmony) -> list[Part]:
    """Bass, with drums in four arrangements of five, and with chords in one of two."""
    parts = [_bass(rng, harmony)]
    with_drums = rng.random() < 0.8
    if with_drums:
        parts.append(_drums(rng, harmony.genre))
    if with_drums and rng.random() < 0.6:
        parts.append(_chords(rng, harmony, INSTRUMENT[rng.choice(harmony.genre.comp_instruments)]))
    return parts
