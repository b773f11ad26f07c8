"""Other ways to write a tempo, a key and what shall not play, brought into the one form that is read."""

import re
from collections.abc import Collection, Iterator
from functools import partial

from riffusion.generate import tokens
from riffusion.generate.number_words import number_words
from riffusion.generate.tokens import Phrase

_PER_MINUTE = re.compile(
    r"(?<=\d)\s{0,3}(?:-\s?bpm\b|b\.\s?p\.\s?m\b\.?|bpms\b|beats?\s?(?:/|a|p/)\s?min(?:ute)?\b)", re.IGNORECASE
)
_TEMPO_BEFORE = re.compile(
    r"(?:(?<!\d)(?<!\d\s)|(?<=/\d\s))\b(?:bpm|tempo)\s{0,3}(?:[:=]|(?:of|von|de|di)\b)?\s{0,3}"
    r"(\d{1,4})(?![\d/.]|\s{0,3}(?:bpm|beat|[-–]\s?\d|to\s\d))",
    re.IGNORECASE,
)
_TEMPO_ALONE = re.compile(
    r"(?:(?<![^\W_])at\s{1,3}|@\s{0,3})(\d{2,3})(?=\s{0,3}(?:[,;!?)]|\.(?!\d)|$|(?:with|and|for|in|on|by)\b))",
    re.IGNORECASE,
)
_AT_GLUED = re.compile(r"(?<=[^\W_])@(?=\s{0,3}\d)")  # "piano@90"
_OF = frozenset(("of", "von", "de", "di"))
_LONGEST_NUMBER = 6  # words

_KEY = re.compile(
    r"(?<![^\W_])(in\s{1,3}|tonart\s{1,3}|key\s{0,3}(?:of|is|[:=])\s{0,3})([a-g](?:[#♯♭]|b(?![^\W_])|[\s-](?:sharp|flat)\b)?)"
    r"(?![^\W_]|[#♯♭&+/'’‐–-]|\.\w)",
    re.IGNORECASE,
)
_CHURCH_MODES = {"ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian"}
_WORD_AFTER = re.compile(r"\s{1,3}([^\W\d_]+)")
_LINKS = frozenset(
    (
        "and",
        "at",
        "avec",
        "by",
        "com",
        "con",
        "e",
        "et",
        "feat",
        "featuring",
        "for",
        "mit",
        "on",
        "und",
        "using",
        "with",
        "y",
    )
)

_ABSENT = re.compile(r"(?<![^\W_])(?!n?or-)([^\W\d_]{2,24})[-‐–](?:free|less|frei|los)\b", re.IGNORECASE)
_ABSENT_NOUN = re.compile(r"\b(drum|percussion|vocal)\s{1,3}free\b", re.IGNORECASE)
_ABSENT_IN_ONE = re.compile(r"(?<![^\W_])([^\W\d_]{3,24}?)(?:less|frei|los)(?:e[mnrs]?)?(?![^\W_])", re.IGNORECASE)


class NormalForms:
    """Rewrites prompts for a model that knows certain words."""

    def __init__(
        self,
        *,
        tempo: Collection[Phrase],
        keys: Collection[Phrase],
        modes: Collection[str],
        moods: Collection[str],
        players: frozenset[str],
        unplayable: frozenset[str],
    ) -> None:
        """
        Args:
            tempo: phrases such as "beats per minute".
            keys: names of keys, such as "G major".
            modes: words such as "minor".
            moods: words of which a minor or a major key follows.
            players: words for what can play.
            unplayable: words for what the model can't play.
        """
        self._tempo, self._keys, self._modes = tempo, keys, modes
        self._moods, self._players, self._unplayable = moods, players, unplayable

    def normal(self, prompt: str) -> str:
        """The prompt without invisible characters, and with beats per minute in digits before their unit, keys with
        their mode, and "no" before what shall not play.
        """
        prompt = tokens.visible(prompt)
        prompt = tokens.edited(prompt, list(self._numbers(prompt)))
        prompt = _PER_MINUTE.sub(" bpm", _TEMPO_BEFORE.sub(r"\1 bpm", prompt))
        prompt = _TEMPO_ALONE.sub(r"at \1 bpm", _AT_GLUED.sub(" @", prompt))
        for pattern, words in (
            (_ABSENT, self._players | self._unplayable),
            (_ABSENT_NOUN, self._players),
            (_ABSENT_IN_ONE, self._players),
        ):
            prompt = pattern.sub(partial(_absent, words), prompt)
        return _KEY.sub(self._key, prompt) if set(tokens.words(prompt)).isdisjoint(self._moods) else prompt

    def _numbers(self, prompt: str) -> Iterator[tuple[int, int, str]]:
        """Numbers in words that a tempo's unit follows, or the word "tempo" precedes, with their digits."""
        found = list(tokens.TOKEN.finditer(prompt))
        words, breaks = tokens.folded([token[0] for token in found]), tokens.breaks(prompt, found)
        numbers = number_words()
        for at, word in enumerate(words):
            if any(words[at : at + len(unit)] == unit for unit in self._tempo):
                for first in range(max(0, at - _LONGEST_NUMBER), at):
                    if breaks[first] >= at and (number := numbers.get(words[first:at])):
                        yield found[first].start(), found[at - 1].end(), str(number)
                        break
            elif word == "tempo":
                first = at + 2 if words[at + 1 : at + 2] and words[at + 1] in _OF else at + 1
                for end in range(min(len(words), first + _LONGEST_NUMBER), first, -1):
                    if number := numbers.get(words[first:end]):
                        yield found[first].start(), found[end - 1].end(), str(number)
                        break

    def _key(self, found: re.Match[str]) -> str:
        """ "In G" is in G major, unless another mode follows.

        A single letter after "in" is a word, if it is small or "A" and one follows that it may belong to: "in a band".
        """
        note = found[2]
        after = _WORD_AFTER.match(found.string, found.end())
        word = tokens.fold(after[1]) if after else ""
        belongs = bool(word) and word not in _LINKS and len(note) == 1 and (note == "A" or note.islower())
        if found[1][0] in "iI" and (note == "a" or belongs):
            return found[0]
        has_mode = word in self._modes or word in _CHURCH_MODES
        return found[0] if has_mode or (*tokens.words(note), "major") not in self._keys else f"{found[0]} major"


def _absent(words: Collection[str], found: re.Match[str]) -> str:
    """ "drumless" is "no drum", but "endless" and "royalty-free" stay."""
    return found[0] if tokens.numbers(tokens.fold(found[1])).isdisjoint(words) else f"no {found[1]}"
