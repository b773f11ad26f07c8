"""The words that people use for what captions state: everyday English, emoji, six other languages, and near misses.

Each file of `words/` lists the words of a language by topic and value; what it leaves out has the captions' own words.
`missing.json` lists what isn't taught, under the nearest thing that is, and sounds that no music has.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from riffusion.training.data.captions import vocabulary
from riffusion.training.data.music import GENRE, INSTRUMENT, KIND_WORDS, MOOD_WORDS, SPEED_WORDS

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "ru")
_FOLDER = Path(__file__).with_name("words")

Table = Mapping[str, Sequence[str]]
_CAPTIONS: dict[str, Table] = {
    "lead": {name: instrument.words for name, instrument in INSTRUMENT.items()},
    "genre": {name: genre.words for name, genre in GENRE.items()},
    "kind": {str(kind): words for kind, words in KIND_WORDS.items()},
    "speed": {str(speed): words for speed, words in SPEED_WORDS.items()},
    "mood": {str(mood): words for mood, words in MOOD_WORDS.items()},
}


@dataclass(frozen=True)
class Words:
    """The words of a language. Templates have braces for the word or the number that belongs there."""

    lead: Table
    genre: Table
    kind: Table
    speed: Table
    mood: Table
    drums: Table
    """Of "yes" and "no": "with drums", "without drums"."""
    solo: Sequence[str]
    """Templates for a lead that plays alone."""
    chords: Sequence[str]
    """Templates for chords of a lead."""
    style: Sequence[str]
    """Templates for a genre and a subject."""
    key: Table
    """Templates for a note, of "major" and "minor"."""
    notes: Sequence[str]
    """The twelve notes from C."""
    join: Sequence[str]
    """Words between the parts of an arrangement."""
    tempo: Sequence[str]
    """Templates for beats per minute."""

    def of(self, topic: str, value: str) -> Sequence[str]:
        """The words for a value of a topic; the captions' own where the language has none."""
        table: Table = getattr(self, topic)
        return table.get(value) or _CAPTIONS[topic][value]


@cache
def words_of(language: str) -> Words:
    """The words of one of `LANGUAGES`."""
    return Words(**json.loads((_FOLDER / f"{language}.json").read_text()))


@cache
def missing() -> Mapping[str, Table]:
    """By topic and value, what isn't taught; the nearest value is played for it."""
    tables: dict[str, Table] = json.loads((_FOLDER / "missing.json").read_text())
    return {topic: table for topic, table in tables.items() if topic != "sounds"}


def nearest_words() -> Words:
    """English with the names of what isn't taught in place of the nearest that is."""
    absent = missing()
    return replace(words_of("en"), lead=absent["lead"], genre=absent["genre"], kind=absent["kind"])


def model_vocabulary() -> dict[str, Any]:
    """What `vocabulary.json` lists: the captions' phrases by topic; other words that are read as one of them
    ("synonyms") or replaced by one ("nearest"), under that phrase; and what isn't music ("sounds")."""
    synonyms: dict[str, list[str]] = {}
    nearest: dict[str, list[str]] = {}
    for topic, table in _CAPTIONS.items():
        for value, own in table.items():
            others = {word for language in LANGUAGES for word in _listed(words_of(language), topic, value)}
            synonyms[own[0]] = sorted(others - {word.lower() for word in own})
            if found := missing().get(topic, {}).get(value):
                nearest[own[0]] = sorted(found)
    synonyms |= _other_synonyms()
    sounds = json.loads((_FOLDER / "missing.json").read_text())["sounds"]
    return {**vocabulary(), "synonyms": synonyms, "nearest": nearest, "sounds": sorted(sounds)}


def _listed(words: Words, topic: str, value: str) -> set[str]:
    """The words for a value, and those that a language makes of it and a kind ("Klaviermusik")."""
    table: Table = getattr(words, topic)
    found = table.get(value, ())
    compounds = (form for form in (*words.solo, *words.chords) if form.startswith("{}") and not form.startswith("{} "))
    joined = [form.format(compound_stem(word)) for form in compounds for word in found] if topic == "lead" else []
    return {word.lower() for word in (*found, *joined)}


def compound_stem(word: str) -> str:
    """The form of a German instrument in a compound: "Gitarre" becomes "Gitarrensolo"."""
    return f"{word}n" if word.endswith("e") else word


def _other_synonyms() -> dict[str, list[str]]:
    """Of what doesn't play, of keys and of tempi."""
    languages = [words_of(language) for language in LANGUAGES]

    def distinct(*tables: Sequence[str]) -> list[str]:
        """The phrases, or the words around the place in templates."""
        return sorted({phrase.format("").strip(" -").lower() for table in tables for phrase in table})

    return {
        "no bass": ["no bass", "without bass", "without a bass", "without any bass"],
        "no drums": distinct(*(words.drums["no"] for words in languages)),
        "with drums": distinct(*(words.drums["yes"] for words in languages)),
        "in a major key": distinct(*(words.key["major"] for words in languages)),
        "in a minor key": distinct(*(words.key["minor"] for words in languages)),
        "beats per minute": distinct(*(words.tempo for words in languages)),
    }
