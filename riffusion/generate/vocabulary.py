"""What a model makes of a prompt, for models that come with a list of the words that they know.

The list has the phrases of the captions by topic; under these, other phrases that are replaced by them ("synonyms"), or
for which they are played ("nearest"); and what isn't music ("sounds"). All but the topics may be missing.
"""

import re
import unicodedata
from collections.abc import Sequence

from riffusion.diffusion.checkpoint import Vocabulary
from riffusion.generate.fillers import FILLERS, NEGATIONS
from riffusion.generate.reading import Reading, warnings
from riffusion.generate.spelling import Spelling

# Words with the accents that follow their letters, and emoji one by one.
_TOKEN = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+|[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?")
_JOINT = re.compile(r"[\s'’&#‐–_-]*")  # between the words of a phrase
_TEMPO = re.compile(r"(?<![\d.])(\d{1,4})(?:\.\d{1,3})?\s{0,3}(?:bpm|beats per minute)\b")
_METER = re.compile(r"(?<![\d/])(\d{1,2}/(?:2|4|8|16))(?![\d/])")
_TABLES = ("synonyms", "nearest", "sounds")
# In the synonyms: what says nothing by itself, and what is true of some prompts only.
_CONNECTING, _NO_BASS = ("beats per minute", "with", "and"), "no bass"
_PASSES = 4  # over a prompt whose replaced words make new phrases with others

_Phrase = tuple[str, ...]


class KnownWords:
    """The words of a model."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        topics = {topic: phrases for topic, phrases in vocabulary.items() if topic not in _TABLES}
        synonyms = vocabulary.get("synonyms", {})
        own = [phrase for phrases in (*topics.values(), synonyms) for phrase in phrases]
        self._own_words = {word for phrase in own for word in _words(phrase)}
        self._texts: dict[_Phrase, str] = {_words(phrase): phrase for phrase in own}
        others = [(_words(each), known) for known, table in synonyms.items() for each in table]
        for phrase, known in others:
            if not self._own_words.issuperset(phrase):  # what captions could say is never replaced
                self._texts.setdefault(phrase, known)
        connecting = [*topics.pop("tempo", ()), *_CONNECTING]
        connecting += [phrase for known in _CONNECTING for phrase in synonyms.get(known, ())]
        self._connecting = set(map(_words, connecting))
        self._no_bass = {_words(phrase) for phrase in (_NO_BASS, *synonyms.get(_NO_BASS, ()))}
        self._players = {
            word for topic in ("instrument", "kind") for each in topics.get(topic, ()) for word in _words(each)
        }
        self._examples = {topic: phrases[0] for topic, phrases in topics.items() if phrases}
        self._fillers = {*map(_fold, FILLERS)}.union(*self._connecting)
        self._known = {*self._texts, *(phrase for phrase, _ in others)}
        self._words = {word for phrase in self._known for word in phrase if self._is_content(word)}
        self._nearest: dict[_Phrase, str] = {
            _words(each): known for known, table in vocabulary.get("nearest", {}).items() for each in table
        }
        self._sounds = {_words(phrase) for phrase in vocabulary.get("sounds", ())}
        self._listed = {*self._known, *self._nearest, *self._sounds}
        self._longest = max(map(len, self._listed), default=1)
        single = {phrase[0] for phrase in self._listed if len(phrase) == 1}
        self._spelling = Spelling(self._words | single)
        self._meters = {"4/4", *(meter for phrase in own for meter in _METER.findall(phrase))}

    def warnings(self, prompt: str) -> list[str]:
        """In which ways the clip won't be what a prompt says, as sentences; an empty prompt asks for nothing."""
        return warnings(self._read(prompt), prompt, self._examples, self._meters) if prompt.strip() else []

    def canonical(self, prompt: str) -> str:
        """The prompt in the words of the captions; what isn't known, or comes after a "no", stays as typed."""
        for _ in range(_PASSES):
            before, prompt = prompt, self._read(prompt).text
            if prompt == before:
                break
        return prompt

    def _read(self, prompt: str) -> Reading:
        reading = Reading()
        tokens = list(_TOKEN.finditer(prompt))
        words = tuple(_fold(token[0]) for token in tokens)
        breaks = _breaks(prompt, tokens)
        edits: list[tuple[int, int, str]] = []
        at, negated = 0, False
        while at < len(words):
            phrase = self._phrase_at(words, at, breaks[at])
            start, end = tokens[at].start(), tokens[at + len(phrase) - 1].end()
            at += len(phrase)
            if phrase[0] in NEGATIONS and phrase not in self._listed:
                negated = True
            elif phrase in self._listed or self._is_content(phrase[0]):
                own = self._note(reading, phrase, _shown(prompt[start:end]), negated=negated)
                if own and _typed(own) != _typed(prompt[start:end]):
                    edits.append((start, end, own))
                negated = False
        self._note_bass(reading)
        reading.text = _edited(prompt, edits)
        text = _shown(reading.text)
        reading.tempi = dict.fromkeys(int(number) for number in _TEMPO.findall(text))
        reading.meters = dict.fromkeys(_METER.findall(text))
        return reading

    def _phrase_at(self, words: _Phrase, at: int, end: int) -> _Phrase:
        """The longest listed phrase that starts there and doesn't go beyond the end, or the word itself."""
        for length in range(min(self._longest, end - at), 1, -1):
            if words[at : at + length] in self._listed:
                return words[at : at + length]
        return words[at : at + 1]

    def _note(self, reading: Reading, phrase: _Phrase, shown: str, *, negated: bool) -> str:
        """Adds to the reading what a phrase, or the word that it misspells, means to the model.

        Returns the model's own words for it; none where it stays as typed.
        """
        if phrase in self._connecting:
            return self._texts.get(phrase, "")
        if negated:
            if self._knows(phrase):
                reading.negated[shown] = None
            return ""  # what the model can't play doesn't play
        if self._knows(phrase):
            reading.known[shown] = phrase
            return self._own(phrase)
        if phrase in self._nearest:
            reading.replaced[shown] = self._nearest[phrase]
            return self._nearest[phrase]
        if phrase in self._sounds:
            reading.sounds[shown] = None
        elif (meant := self._spelling.nearest(phrase[0])) is None:
            reading.unknown[shown] = None
        else:
            reading.misspelled[shown] = meant
            return self._note(reading, (meant,), meant, negated=False) or meant
        return ""

    def _note_bass(self, reading: Reading) -> None:
        """A genre alone means a band, and that has a bass even if the prompt says that it hasn't."""
        without = [shown for shown, phrase in reading.known.items() if phrase in self._no_bass]
        others = [self._own(phrase) for phrase in reading.known.values() if phrase not in self._no_bass]
        named = {word for text in (*others, *reading.replaced.values()) for word in _words(text)}
        if without and named and named.isdisjoint(self._players):
            reading.known = {shown: phrase for shown, phrase in reading.known.items() if shown not in without}
            reading.negated["bass"] = None

    def _knows(self, phrase: _Phrase) -> bool:
        """Whether the model knows it, in singular or plural."""
        if phrase in self._listed:
            return phrase in self._known
        return not _numbers(phrase[0]).isdisjoint(self._words)

    def _own(self, phrase: _Phrase) -> str:
        """The captions' words for a phrase that the model knows; none where it stays as typed."""
        if phrase in self._texts or len(phrase) > 1:
            return self._texts.get(phrase, "")
        forms = _numbers(phrase[0])
        if not forms.isdisjoint(self._own_words):
            return phrase[0]
        return next((self._texts[form,] for form in sorted(forms) if (form,) in self._texts), "")

    def _is_content(self, word: str) -> bool:
        """Whether a word that isn't listed says something about the music; emoji and numbers don't."""
        return len(word) > 1 and word.isalpha() and word not in self._fillers


def _fold(word: str) -> str:
    """The word in small letters without accents, as people type it."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def _words(phrase: str) -> _Phrase:
    """Its words and emoji; hyphens and apostrophes separate words."""
    return tuple(map(_fold, _TOKEN.findall(phrase)))


def _typed(phrase: str) -> list[str]:
    """Its words with their accents, in small letters."""
    return [word.casefold() for word in _TOKEN.findall(phrase)]


def _shown(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _numbers(word: str) -> set[str]:
    """The word, and what may be its singular or plural."""
    return {word, f"{word}s", word.removesuffix("s")}


def _breaks(prompt: str, tokens: Sequence[re.Match[str]]) -> list[int]:
    """For each token, the index after the last one that punctuation doesn't separate from it."""
    breaks = [len(tokens)] * len(tokens)
    for at in range(len(tokens) - 2, -1, -1):
        joined = _JOINT.fullmatch(prompt, tokens[at].end(), tokens[at + 1].start())
        breaks[at] = breaks[at + 1] if joined else at + 1
    return breaks


def _edited(prompt: str, edits: Sequence[tuple[int, int, str]]) -> str:
    """The prompt with other texts from one position to another, as words of their own."""
    parts, done = [""], 0
    for start, end, text in edits:
        kept, after = prompt[done:start], prompt[end : end + 1]
        before = kept[-1:] or parts[-1][-1:]
        parts += [kept, f"{' ' if before.isalnum() else ''}{text}{' ' if after.isalnum() else ''}"]
        done = end
    return "".join(parts) + prompt[done:]
