"""The words that people use for what captions state: everyday English, emoji, six other languages, and near misses.

Each file of `words/` lists the words of a language by topic and value; what it leaves out has the captions' own words.
`missing.json` lists what isn't taught, under the nearest thing that is, and sounds that no music has.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from riffusion.training.data.captions import vocabulary
from riffusion.training.data.keys import KEYS
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
_UNLISTED = ("alone", "without any drums", "without bass", "in three four time")  # captions say them, no topic does


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
    music: Sequence[str] = ()
    """Words for music of any kind."""
    no_bass: Sequence[str] = ()
    """Of what has no bass."""
    no_vocals: Sequence[str] = ()
    """Of what nobody sings in."""
    other_notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Other names of some of the notes, such as "ut" of "do"."""

    def of(self, topic: str, value: str) -> Sequence[str]:
        """The words for a value of a topic; the captions' own where the language has none."""
        table: Table = getattr(self, topic)
        return table.get(value) or _CAPTIONS[topic][value]

    def modes(self, mode: str) -> set[str]:
        """Words for major or minor without a note, those with a preposition too."""
        return {" ".join(form.replace("{}", " ").replace("-", " ").split()) for form in self.key[mode]}

    def in_key(self, key: str) -> set[str]:
        """Names of a key such as "A minor"."""
        note, mode = self.notes[KEYS.index(key) % 12], key.split()[1]
        names = (note, *self.other_notes.get(note, ()))
        return {form.format(name) for form in self.key[mode] for name in names if form.startswith("{}")}


@cache
def words_of(language: str) -> Words:
    """The words of one of `LANGUAGES`."""
    return Words(**json.loads((_FOLDER / f"{language}.json").read_text()))


@cache
def missing() -> Mapping[str, Table]:
    """By topic and value, what isn't taught; the nearest value is played for it."""
    return {topic: table for topic, table in _missing_file().items() if topic != "sounds"}


@cache
def _missing_file() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads((_FOLDER / "missing.json").read_text())
    return tables


def nearest_words() -> Words:
    """English with the names of what isn't taught in place of the nearest that is."""
    absent = missing()
    return replace(words_of("en"), lead=absent["lead"], genre=absent["genre"], kind=absent["kind"])


def model_vocabulary() -> dict[str, Any]:
    """What `vocabulary.json` lists: the captions' phrases by topic; other words that are replaced by one of them
    ("synonyms"), or for which one is played ("nearest"), under that phrase; and what isn't music ("sounds").

    A phrase with two meanings has the first.
    """
    every = _captions_other_words()
    nearest: dict[str, list[str]] = {}
    for topic, table in _CAPTIONS.items():
        for value, own in table.items():
            every.setdefault(own[0], set()).update(
                word for language in LANGUAGES for word in _listed(words_of(language), topic, value)
            )
            if found := missing().get(topic, {}).get(value):
                nearest[own[0]] = sorted(found)
    seen = {phrase.lower() for phrases in vocabulary().values() for phrase in phrases}
    synonyms: dict[str, list[str]] = {}
    for own_phrase, others in every.items():
        synonyms[own_phrase] = sorted(others - seen)
        seen |= others
    return {**vocabulary(), "synonyms": synonyms, "nearest": nearest, "sounds": sorted(_missing_file()["sounds"])}


def _listed(words: Words, topic: str, value: str) -> set[str]:
    """The words for a value, and those that a language makes of it and a kind ("Klaviermusik")."""
    table: Table = getattr(words, topic)
    found = table.get(value, ())
    joined = _compounds(words.solo, found) if topic in ("lead", "genre") else set()
    return {word.lower() for word in found} | joined


def _compounds(forms: Sequence[str], names: Sequence[str]) -> set[str]:
    """Single words made of a name and the end of a template ("{}musik")."""
    ends = [form for form in forms if form.startswith("{}") and not form.startswith("{} ")]
    return {form.format(compound_stem(name)).lower() for form in ends for name in names}


def compound_stem(word: str) -> str:
    """The form of a German instrument in a compound: "Gitarre" becomes "Gitarrensolo"."""
    return f"{word}n" if word.endswith("e") else word


def _captions_other_words() -> dict[str, set[str]]:
    """What captions say beside the phrases of their topics, and what other words there are for that."""
    languages = [words_of(language) for language in LANGUAGES]

    def all_of(tables: Iterable[Iterable[str]]) -> set[str]:
        return {phrase.lower() for table in tables for phrase in table}

    others = {
        "music": all_of(words.music for words in languages),
        "no bass": all_of(words.no_bass for words in languages),
        "no vocals": all_of(words.no_vocals for words in languages),
        "no drums": all_of(words.drums["no"] for words in languages),
        "with drums": all_of(words.drums["yes"] for words in languages),
        "with": all_of([words.join[0]] for words in languages),
        "and": all_of([words.join[1]] for words in languages) - {"e"},  # a note as well
        "in a major key": all_of(words.modes("major") for words in languages),
        "in a minor key": all_of(words.modes("minor") for words in languages),
        "beats per minute": all_of((form.split("{}")[1].strip() for form in words.tempo) for words in languages),
    }
    for name, instrument in INSTRUMENT.items():
        others[f"{instrument.words[0]} chords"] = all_of(
            _compounds(words.chords, words.lead.get(name, ())) for words in languages
        )
    for key in KEYS:
        others[key] = all_of(words.in_key(key) for words in languages)
    return others | {phrase: set() for phrase in _UNLISTED}
