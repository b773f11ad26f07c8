"""Which words of a prompt a model was trained on, for models that come with a list of them, and what it makes of others.

The list has the phrases of the captions by topic; other phrases that the model reads as one of them ("synonyms"), or for
which it plays one ("nearest"), under that phrase; and what isn't music ("sounds"). All but the topics may be missing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from riffusion.diffusion.checkpoint import Vocabulary
from riffusion.generate.fillers import FILLERS, NEGATIONS
from riffusion.generate.reading import Reading
from riffusion.generate.spelling import Spelling

SLOWEST_BPM, FASTEST_BPM = 60, 180
_TOKEN = re.compile(r"[^\W_]+|[\u2600-\u27bf\U0001f300-\U0001faff]")  # words, and emoji one by one
_TEMPO = re.compile(r"(?<![\d.])(\d{1,4})(?:\.\d{1,3})?\s{0,3}(?:bpm|beats per minute)\b")
_METER = re.compile(r"(?<![\d/])(\d{1,2}/(?:2|4|8|16))(?![\d/])")
_TABLES = ("synonyms", "nearest", "sounds")


class KnownWords:
    """The words of a model."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        topics = {topic: phrases for topic, phrases in vocabulary.items() if topic not in _TABLES}
        self._reads_others = "synonyms" in vocabulary
        self._examples = {topic: phrases[0] for topic, phrases in topics.items() if topic != "tempo" and phrases}
        phrases = [*_flat(topics), *_flat(vocabulary.get("synonyms", {}))]
        self._phrases = {_tokens(phrase) for phrase in phrases}
        self._words = {word for phrase in self._phrases for word in phrase if _is_content(word)}
        self._nearest = {
            _tokens(phrase): known for known, others in vocabulary.get("nearest", {}).items() for phrase in others
        }
        self._sounds = {_tokens(phrase) for phrase in vocabulary.get("sounds", ())}
        self._longest = max(map(len, [*self._phrases, *self._nearest, *self._sounds]), default=1)
        alone = {phrase[0] for phrase in [*self._nearest, *self._sounds] if len(phrase) == 1}
        self._spelling = Spelling(self._words | alone | FILLERS)
        self._meters = {"4/4", *(meter for phrase in phrases for meter in _METER.findall(phrase))}

    def warnings(self, prompt: str) -> list[str]:
        """What the model makes of a prompt where that isn't what it says, as sentences; an empty prompt has none."""
        if not prompt.strip():
            return []
        reading = self._read(prompt)
        return reading.warnings(prompt, self._examples, self._meters, reads_others=self._reads_others)

    def _read(self, prompt: str) -> Reading:
        folded = _fold(prompt)
        reading = Reading(range(SLOWEST_BPM, FASTEST_BPM + 1))
        reading.tempi = [int(number) for number in _TEMPO.findall(folded)]
        reading.other_meters = [meter for meter in _METER.findall(folded) if meter not in self._meters]
        tokens, at, negated = _tokens(folded), 0, False
        while at < len(tokens):
            phrase = self._phrase_at(tokens, at)
            at += len(phrase)
            if phrase[0] in NEGATIONS and phrase not in self._phrases:
                negated = True
            elif not self._is_filler(phrase):
                self._note(reading, phrase, negated=negated)
                negated = False
        return reading

    def _phrase_at(self, tokens: tuple[str, ...], at: int) -> tuple[str, ...]:
        """The longest listed phrase that starts there, or the word itself."""
        for length in range(self._longest, 1, -1):
            phrase = tokens[at : at + length]
            if phrase in self._phrases or phrase in self._nearest or phrase in self._sounds:
                return phrase
        return tokens[at : at + 1]

    def _is_filler(self, phrase: tuple[str, ...]) -> bool:
        listed = phrase in self._phrases or phrase in self._nearest or phrase in self._sounds
        return not listed and not _is_content(phrase[0])

    def _note(self, reading: Reading, phrase: tuple[str, ...], *, negated: bool) -> None:
        """Adds to the reading what a phrase, or the one that it misspells, means."""
        shown = " ".join(phrase)
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
        elif meant not in FILLERS:
            reading.misspelled[shown] = meant
            self._note(reading, (meant,), negated=False)

    def _knows(self, phrase: tuple[str, ...]) -> bool:
        """Whether the model knows it, in singular or plural."""
        word = phrase[0]
        return phrase in self._phrases or (
            len(phrase) == 1 and not {word, f"{word}s", word.removesuffix("s")}.isdisjoint(self._words)
        )


def _flat(table: Mapping[str, Sequence[str]]) -> list[str]:
    return [phrase for phrases in table.values() for phrase in phrases]


def _fold(text: str) -> str:
    """The text in small letters without accents, as people type it."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _tokens(text: str) -> tuple[str, ...]:
    """Words and emoji, where hyphens and apostrophes separate words."""
    return tuple(_TOKEN.findall(_fold(text)))


def _is_content(word: str) -> bool:
    """Whether a single word says something about the music; emoji and words with digits do where they are listed."""
    return len(word) > 1 and word.isalpha() and word not in FILLERS
