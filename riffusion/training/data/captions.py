"""Writes captions of composed pieces, in the many wordings that people type.

A caption leaves out most facts of its piece. `Stated` holds those that it states: a text encoder can learn them, and a
generated clip can be judged by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from riffusion.training.data.keys import KEYS, key_words
from riffusion.training.data.music import (
    FAMILY,
    GENRES,
    INSTRUMENTS,
    KIND_WORDS,
    METER_WORDS,
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
    drums: bool | None = None
    """Whether it states that drums play (True) or that none do (False)."""
    key: str | None = None
    """Such as "A minor"."""

    @property
    def family(self) -> str | None:
        """The instrument family of the lead."""
        return FAMILY[self.lead] if self.lead else None


_FRAMES = (
    *("{}",) * 5, "a {}", "some {}", "clip of {}", "recording of {}", "music with {}", "sound of {}", "play {}",
)  # fmt: skip
_ALONE = ("just a {}", "just {}", "only a {}", "only {}", "{} only", "{} alone", "{}, nothing else", "nothing but {}")
_LINKS = (" with {}", " with a {}", " and {}", " featuring {}", ", {}", " plus {}", " over {}")
_DRUM_WORDS = ("drums", "a drum beat", "drum kit", "a beat", "percussion")
_BASS_WORDS = ("bass", "a bassline", "bass guitar", "bass line")
_NO_DRUMS = ("no drums", "no drums", "without drums", "without any drums", "no percussion", "no beat")
_NO_BASS = ("no bass", "without bass")
_NEITHER = ("no drums, no bass", "no bass, no drums", "no bass or drums", "without bass and drums")
_IN_KEY = ("in {}", "in {}", "in the key of {}", "key of {}", "{}")
_DESCRIBED = ("{} {}", "{} {}", "{}, {}", "{1} {0}", "{1}, {0}", "{1} in {0} style")


def write_caption(piece: Piece, rng: Random) -> tuple[str, Stated]:
    """One caption of the piece and what it states. The same generator state gives the same caption."""
    genre = rng.choice(piece.genre.words) if _chance(rng, 0.72) else None
    lead = piece.lead
    if piece.kind == "full" and _chance(rng, 0.2):
        # "techno 128 bpm", "jazz band": a genre alone means a whole arrangement.
        lead, genre = None, genre or rng.choice(piece.genre.words)
    subject, drums = _subject(piece, lead, genre, rng)
    bpm, speed = _tempo(piece, rng)
    tonal = piece.kind != "drums"
    mood = piece.mood if tonal and _chance(rng, 0.2) else None
    key = piece.key_name if tonal and _chance(rng, 0.25) else None
    alone = len(piece.parts) == 1 and _chance(rng, 0.08)
    absent = _absent(piece, rng)
    if absent in _NO_DRUMS + _NEITHER or (alone and tonal):
        drums = False
    adjectives = [word for word in (_speed_word(speed, bpm, rng), _mood_word(mood, rng)) if word]
    rng.shuffle(adjectives)
    before = [word for word in adjectives if not word.startswith("in ") and _chance(rng, 0.7)]
    after = [word for word in adjectives if word not in before]
    if key:
        after.append(rng.choice(_IN_KEY).format(rng.choice(key_words(key))))
    if genre and piece.genre.beats == 3 and _chance(rng, 0.25):
        after.append(rng.choice(METER_WORDS))
    text = _framed(" ".join([*before, subject]), _ALONE if alone else _FRAMES, rng)
    text = _joined(text, absent, rng) + "".join(_link(word, rng) for word in after)
    text = _with_bpm(text, bpm, rng)
    return text.capitalize() if _chance(rng, 0.15) else text, Stated(
        kind=piece.kind,
        genre=piece.genre.name if genre else None,
        lead=lead.name if lead else None,
        bpm=piece.bpm if bpm else None,
        speed=speed,
        mood=piece.mood if mood or key else None,
        drums=drums,
        key=key,
    )


def _chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def all_about(piece: Piece) -> Stated:
    """Everything that a caption of the piece could state."""
    lead = piece.lead.name if piece.lead else None
    key = piece.key_name if piece.kind != "drums" else None
    return Stated(piece.kind, piece.genre.name, lead, piece.bpm, speed_of(piece.bpm), piece.mood, piece.has_drums, key)


def nearest_tempo(bpm: float) -> float:
    """The tempo of the composer that a number of beats per minute in a caption stands for."""
    return min(TEMPI, key=lambda tempo: abs(tempo / bpm - 1))


def vocabulary() -> dict[str, list[str]]:
    """Every phrase that captions are written with, by topic. Tempi are numbers from 60 to 180 before "bpm".

    Phrases without a musical word, such as "nothing else", aren't among them.
    """
    tables: dict[str, Sequence[str]] = {
        "genre": [word for genre in GENRES for word in genre.words],
        "instrument": [word for instrument in INSTRUMENTS for word in instrument.words],
        "kind": [word for words in KIND_WORDS.values() for word in words],
        "speed": [word for words in SPEED_WORDS.values() for word in words],
        "mood": [word for words in MOOD_WORDS.values() for word in words],
        "key": [word for key in KEYS for word in key_words(key)],
        "tempo": ["bpm", "beats per minute"],
    }
    return {topic: sorted(set(words)) for topic, words in tables.items()}


def _subject(piece: Piece, lead: Instrument | None, genre: str | None, rng: Random) -> tuple[str, bool | None]:
    """Who plays what, in which genre; and True if that names drums."""
    if piece.kind == "full":
        return _ensemble(piece, lead, genre, rng)
    thing = rng.choice(KIND_WORDS[piece.kind])
    if lead:
        thing = _instrument_phrase(rng.choice(lead.words), thing, piece.kind, rng)
    return _describe(genre, thing, rng) if genre else thing, True if piece.kind == "drums" else None


def _instrument_phrase(name: str, kind: str, of: Kind, rng: Random) -> str:
    """A solo may be named by its instrument alone ("church bells"); chords are always named as chords."""
    if of == "solo" and _chance(rng, 0.45):
        return f"solo {name}" if _chance(rng, 0.1) and not name.startswith("solo") else name
    if name.endswith(kind):
        return name
    return rng.choice((f"{name} {kind}", f"{name} {kind}", f"{name} {kind}", f"{kind} on {name}", f"{name}, {kind}"))


def _ensemble(piece: Piece, lead: Instrument | None, genre: str | None, rng: Random) -> tuple[str, bool | None]:
    """Parts joined by "with", the lead in full words: "funk bassline with a saxophone solo", "jazz band, trumpet"."""
    if not lead and genre:
        return genre if _chance(rng, 0.5) else _describe(genre, rng.choice(KIND_WORDS["full"]), rng), None
    name = rng.choice(lead.words) if lead else rng.choice(KIND_WORDS["full"])
    if _chance(rng, 0.5) and not name.endswith("lead"):
        name = f"{name} {rng.choice(('solo', 'lead', 'melody'))}"
    others, drums = [rng.choice(_BASS_WORDS)], None
    if piece.has_drums and _chance(rng, 0.5):
        others = [rng.choice(KIND_WORDS["full"])]
    elif piece.has_drums:
        others = rng.sample([rng.choice(_DRUM_WORDS), *others], rng.choice((1, 2)))
        drums = True if any(word in _DRUM_WORDS for word in others) else None
    first, second = " and ".join(others), name
    if _chance(rng, 0.5):
        first, second = second, first
    if genre:
        first = _describe(genre, first, rng)
    return first + _framed(second, _LINKS, rng), drums


def _absent(piece: Piece, rng: Random) -> str:
    """In a tenth of the captions of pieces without drums or bass, which of them doesn't play."""
    if piece.kind == "full":
        return rng.choice(_NO_DRUMS) if not piece.has_drums and _chance(rng, 0.3) else ""
    if _chance(rng, 0.9):
        return ""
    if piece.kind == "drums":
        return rng.choice(_NO_BASS)
    if piece.kind == "bass":
        return rng.choice(_NO_DRUMS)
    return rng.choice(rng.choice((_NO_DRUMS, _NO_DRUMS, _NO_BASS, _NEITHER)))


def _joined(text: str, absent: str, rng: Random) -> str:
    """What doesn't play comes after what plays, rarely before it: "no drums, just a flute"."""
    if not absent:
        return text
    if absent.startswith("without") and _chance(rng, 0.6):
        return f"{text} {absent}"
    return f"{absent}, {text}" if _chance(rng, 0.25) else f"{text}, {absent}"


def _framed(text: str, frames: tuple[str, ...], rng: Random) -> str:
    """The text in one of the frames, with "an" before a vowel, and no article before a plural or a second one."""
    bare = text.endswith("s") or text.startswith("a ")
    frame = rng.choice([each for each in frames if not (bare and each.endswith("a {}"))])
    if frame.endswith("a {}") and text[0] in "aeiou":
        frame = frame.replace("a {}", "an {}")
    return frame.format(text)


def _link(phrase: str, rng: Random) -> str:
    """A phrase to append: those with "in" mostly without a comma."""
    return f" {phrase}" if phrase.startswith("in ") and _chance(rng, 0.6) else f", {phrase}"


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


def _with_bpm(text: str, bpm: float | None, rng: Random) -> str:
    """The text with the number of beats at either end."""
    if bpm is None:
        return text
    spoken = rng.choice(
        ("{:.0f} bpm", "{:.0f} bpm", "{:.0f} BPM", "{:.0f}bpm", "at {:.0f} bpm", "{:.0f} beats per minute")
    ).format(bpm)
    first = f"{text} {spoken}" if spoken.startswith("at") else f"{spoken} {text}"
    return rng.choice((f"{text} {spoken}", f"{text}, {spoken}", first))
