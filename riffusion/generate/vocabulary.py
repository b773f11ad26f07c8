"""What a model can't do of what a prompt asks for, for models that come with a list of the words that they know.

The list has the phrases of the captions by topic; under these, other phrases that the model reads as them ("synonyms")
or for which it plays them ("nearest"); and what isn't music ("sounds"). All but the topics may be missing.
"""

import re
import unicodedata

from riffusion.diffusion.checkpoint import Vocabulary
from riffusion.generate.fillers import FILLERS, NEGATIONS
from riffusion.generate.reading import Reading, warnings
from riffusion.generate.spelling import Spelling

_TOKEN = re.compile(r"[^\W_]+|[\u2600-\u27bf\U0001f300-\U0001faff]")  # words, and emoji one by one
_TEMPO = re.compile(r"(?<![\d.])(\d{1,4})(?:\.\d{1,3})?\s{0,3}(?:bpm|beats per minute)\b")
_METER = re.compile(r"(?<![\d/])(\d{1,2}/(?:2|4|8|16))(?![\d/])")
_TABLES = ("synonyms", "nearest", "sounds")


class KnownWords:
    """The words of a model."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        topics = {topic: phrases for topic, phrases in vocabulary.items() if topic not in _TABLES}
        others = dict(vocabulary.get("synonyms", {}))
        tempo_words = [*topics.pop("tempo", ()), *others.pop("beats per minute", ())]
        self._examples = {topic: phrases[0] for topic, phrases in topics.items() if phrases}
        self._taught_others = bool(others)
        phrases = [phrase for table in (topics, others) for phrases in table.values() for phrase in phrases]
        self._fillers = FILLERS.union(*map(_words, tempo_words))
        self._known = {_words(phrase) for phrase in phrases}
        self._words = {word for phrase in self._known for word in phrase if self._is_content(word)}
        self._nearest = {
            _words(each): known for known, table in vocabulary.get("nearest", {}).items() for each in table
        }
        self._sounds = {_words(phrase) for phrase in vocabulary.get("sounds", ())}
        self._listed = {*self._known, *self._nearest, *self._sounds}
        self._longest = max(map(len, self._listed), default=1)
        single = {phrase[0] for phrase in self._listed if len(phrase) == 1}
        self._spelling = Spelling(self._words | single)
        self._meters = {"4/4", *(meter for phrase in phrases for meter in _METER.findall(phrase))}

    def warnings(self, prompt: str) -> list[str]:
        """In which ways the clip won't be what a prompt says, as sentences; an empty prompt asks for nothing."""
        if not prompt.strip():
            return []
        return warnings(self._read(prompt), prompt, self._examples, self._meters, reads_misspelled=self._taught_others)

    def _read(self, prompt: str) -> Reading:
        text = unicodedata.normalize("NFKC", prompt).lower()
        reading = Reading(
            tempi=dict.fromkeys(int(number) for number in _TEMPO.findall(text)),
            meters=dict.fromkeys(_METER.findall(text)),
        )
        tokens = list(_TOKEN.finditer(text))
        words = tuple(_fold(token[0]) for token in tokens)
        at, negated = 0, False
        while at < len(words):
            phrase = self._phrase_at(words, at)
            shown = text[tokens[at].start() : tokens[at + len(phrase) - 1].end()]
            at += len(phrase)
            if phrase[0] in NEGATIONS and phrase not in self._listed:
                negated = True
            elif phrase in self._listed or self._is_content(phrase[0]):
                self._note(reading, phrase, shown, negated=negated)
                negated = False
        return reading

    def _phrase_at(self, words: tuple[str, ...], at: int) -> tuple[str, ...]:
        """The longest listed phrase that starts there, or the word itself."""
        for length in range(self._longest, 1, -1):
            if words[at : at + length] in self._listed:
                return words[at : at + length]
        return words[at : at + 1]

    def _note(self, reading: Reading, phrase: tuple[str, ...], shown: str, *, negated: bool) -> None:
        """Adds to the reading what a phrase, or the word that it misspells, means to the model."""
        if self._knows(phrase):
            (reading.negated if negated else reading.known)[shown] = None
        elif negated:
            pass  # what the model can't play doesn't play
        elif phrase in self._nearest:
            reading.replaced[shown] = self._nearest[phrase]
        elif phrase in self._sounds:
            reading.sounds[shown] = None
        elif (meant := self._spelling.nearest(phrase[0])) is None:
            reading.unknown[shown] = None
        else:
            reading.misspelled[shown] = meant
            self._note(reading, (meant,), meant, negated=False)

    def _knows(self, phrase: tuple[str, ...]) -> bool:
        """Whether the model knows it, in singular or plural."""
        if phrase in self._listed:
            return phrase in self._known
        return not {phrase[0], f"{phrase[0]}s", phrase[0].removesuffix("s")}.isdisjoint(self._words)

    def _is_content(self, word: str) -> bool:
        """Whether a word that isn't listed says something about the music; emoji and numbers don't."""
        return len(word) > 1 and word.isalpha() and word not in self._fillers


def _fold(word: str) -> str:
    """The word in small letters without accents, as people type it."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _words(phrase: str) -> tuple[str, ...]:
    """Its words and emoji; hyphens and apostrophes separate words."""
    return tuple(_fold(word) for word in _TOKEN.findall(unicodedata.normalize("NFKC", phrase).lower()))
