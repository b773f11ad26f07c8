"""Writes captions of composed pieces, in the many wordings that people type.

A caption leaves out most facts of its piece. `Stated` holds those that it states: a text encoder can learn them, and a
generated clip can be judged by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from riffusion.training.data.music import (
    FAMILY,
    GENRES,
    INSTRUMENTS,
    KIND_WORDS,
    MOOD_WORDS,
    SPEED_WORDS,
    TEMPI,
    Instrument,
    Kind,
    Mood,
    Speed,
    speed_of,
)
from riffusion.training.data.piece import Piece


@dataclass(frozen=True)
class Stated:
    """What a caption states about its piece; None for what it leaves out."""

    kind: Kind
    genre: str | None = None
    lead: str | None = None
    bpm: float | None = None
    speed: Speed | None = None
    mood: Mood | None = None

    @property
    def family(self) -> str | None:
        """The instrument family of the lead."""
        return FAMILY[self.lead] if self.lead else None


_FILLERS = ("", "", "", "", "", "a ", "some ", "clip of ", "recording of ", "music with ", "sound of ", "play ")
_LINKS = (" with ", " with a ", " and ", " featuring ", ", ", " plus ", " over ", " with an ")
_DRUM_WORDS = ("drums", "a drum beat", "drum kit", "a beat", "percussion")
_BASS_WORDS = ("bass", "a bassline", "bass guitar", "bass line")
_DESCRIBED = ("{} {}", "{} {}", "{}, {}", "{1} {0}", "{1}, {0}", "{1} in {0} style")


def write_caption(piece: Piece, rng: Random) -> tuple[str, Stated]:
    """One caption of the piece and what it states. The same generator state gives the same caption."""
    genre = rng.choice(piece.genre.words) if _chance(rng, 0.72) else None
    lead = piece.lead
    if piece.kind == "full" and _chance(rng, 0.2):
        # "techno 128 bpm", "jazz band": a genre alone means a whole arrangement.
        lead, genre = None, genre or rng.choice(piece.genre.words)
    subject = _subject(piece, lead, genre, rng)
    bpm, speed = _tempo(piece, rng)
    mood = piece.mood if piece.kind != "drums" and _chance(rng, 0.22) else None
    adjectives = [word for word in (_speed_word(speed, bpm, rng), _mood_word(mood, rng)) if word]
    rng.shuffle(adjectives)
    text = _arrange(subject, adjectives, _bpm_words(bpm, rng), rng)
    return text, Stated(
        kind=piece.kind,
        genre=piece.genre.name if genre else None,
        lead=lead.name if lead else None,
        bpm=piece.bpm if bpm else None,
        speed=speed,
        mood=mood,
    )


def _chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def all_about(piece: Piece) -> Stated:
    """Everything that a caption of the piece could state."""
    lead = piece.lead.name if piece.lead else None
    return Stated(piece.kind, piece.genre.name, lead, piece.bpm, speed_of(piece.bpm), piece.mood)


def nearest_tempo(bpm: float) -> float:
    """The tempo of the composer that a number of beats per minute in a caption stands for."""
    return min(TEMPI, key=lambda tempo: abs(tempo / bpm - 1))


def vocabulary() -> dict[str, list[str]]:
    """Every phrase that captions are written with, by topic. Tempi are numbers from 60 to 180 before "bpm"."""
    tables: dict[str, Sequence[str]] = {
        "genre": [word for genre in GENRES for word in genre.words],
        "instrument": [word for instrument in INSTRUMENTS for word in instrument.words],
        "kind": [word for words in KIND_WORDS.values() for word in words],
        "speed": [word for words in SPEED_WORDS.values() for word in words],
        "mood": [word for words in MOOD_WORDS.values() for word in words],
        "tempo": ["bpm", "beats per minute"],
    }
    return {topic: sorted(set(words)) for topic, words in tables.items()}


def _subject(piece: Piece, lead: Instrument | None, genre: str | None, rng: Random) -> str:
    """Who plays what, in which genre."""
    if piece.kind == "full":
        return _ensemble(piece, lead, genre, rng)
    thing = rng.choice(KIND_WORDS[piece.kind])
    if lead:
        thing = _instrument_phrase(rng.choice(lead.words), thing, piece.kind, rng)
    return _describe(genre, thing, rng) if genre else thing


def _instrument_phrase(name: str, kind: str, of: Kind, rng: Random) -> str:
    """A solo may be named by its instrument alone ("church bells"); chords are always named as chords."""
    if of == "solo" and _chance(rng, 0.45):
        return name
    if name.endswith(kind):
        return name
    return rng.choice((f"{name} {kind}", f"{name} {kind}", f"{name} {kind}", f"{kind} on {name}", f"{name}, {kind}"))


def _ensemble(piece: Piece, lead: Instrument | None, genre: str | None, rng: Random) -> str:
    """Parts joined by "with", the lead in full words: "funk bassline with a saxophone solo", "jazz band, trumpet"."""
    if not lead and genre:
        return genre if _chance(rng, 0.5) else _describe(genre, rng.choice(KIND_WORDS["full"]), rng)
    name = rng.choice(lead.words) if lead else rng.choice(KIND_WORDS["full"])
    if _chance(rng, 0.5) and not name.endswith("lead"):
        name = f"{name} {rng.choice(('solo', 'lead', 'melody'))}"
    others = [rng.choice(_BASS_WORDS)]
    if piece.has_drums:
        others = rng.sample([rng.choice(_DRUM_WORDS), *others], rng.choice((1, 2)))
        if _chance(rng, 0.55):
            others = [rng.choice(KIND_WORDS["full"])]
    first, second = " and ".join(others), name
    if _chance(rng, 0.5):
        first, second = second, first
    if genre:
        first = _describe(genre, first, rng)
    return first + rng.choice(_LINKS) + second


def _describe(genre: str, thing: str, rng: Random) -> str:
    return rng.choice(_DESCRIBED).format(genre, thing)


def _tempo(piece: Piece, rng: Random) -> tuple[float | None, Speed | None]:
    """What the caption states of the tempo: in half of the captions a number, in a quarter a word, else nothing."""
    draw = rng.random()
    if draw < 0.5:
        return _spoken_bpm(piece.bpm, rng), speed_of(piece.bpm)
    return None, speed_of(piece.bpm) if draw < 0.75 else None


def _spoken_bpm(bpm: float, rng: Random) -> float:
    """The tempo as a whole number; in one caption of two, another number that still stands for this tempo."""
    if _chance(rng, 0.5):
        return round(bpm)
    near = [number for number in range(60, 181) if nearest_tempo(number) == bpm]
    return rng.choice(near)


def _speed_word(speed: Speed | None, bpm: float | None, rng: Random) -> str:
    if speed is None or (bpm is not None and _chance(rng, 0.8)):
        return ""
    return rng.choice(SPEED_WORDS[speed])


def _mood_word(mood: Mood | None, rng: Random) -> str:
    return rng.choice(MOOD_WORDS[mood]) if mood else ""


def _bpm_words(bpm: float | None, rng: Random) -> str:
    if bpm is None:
        return ""
    return rng.choice(
        ("{:.0f} bpm", "{:.0f} bpm", "{:.0f} BPM", "{:.0f}bpm", "at {:.0f} bpm", "{:.0f} beats per minute")
    ).format(bpm)


def _arrange(subject: str, adjectives: list[str], bpm: str, rng: Random) -> str:
    """Adjectives before or after the subject, the number of beats at either end, and some capital letters."""
    before = [word for word in adjectives if not word.startswith("in ") and _chance(rng, 0.7)]
    after = [word for word in adjectives if word not in before]
    text = rng.choice(_FILLERS) + " ".join([*before, subject])
    text = ", ".join([text, *after])
    if bpm:
        text = rng.choice(
            (f"{text} {bpm}", f"{text}, {bpm}", f"{bpm} {text}" if not bpm.startswith("at") else f"{text} {bpm}")
        )
    return text.capitalize() if _chance(rng, 0.15) else text
