"""Other ways to write a tempo, a key and what shall not play, brought into the one form that is read."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial

from riffusion.generate import tokens
from riffusion.generate.number_words import number_words
from riffusion.generate.tempo_ranges import TempoRanges
from riffusion.generate.tokens import Phrase
from riffusion.generate.written_keys import WrittenKeys

_PER_MINUTE = re.compile(
    r"(?<=\d)\s{0,3}(?:-\s?bpm\b|b\.\s?p\.\s?m\b\.?|bpms\b|beats?\s?(?:(?:/|a|p/)\s?min(?:ute)?|per\s?min)\b)",
    re.IGNORECASE,
)
_TEMPO_BEFORE = re.compile(
    r"(?:(?:(?<!\d)(?<!\d\s)|(?<=/\d\s))\b(?:bpm|tempo|темп)|[♩♪])\s{0,3}(?:[:=-]|(?:of|von|de|di)\b)?\s{0,3}"
    r"(\d{1,4}(?:\.\d{1,3}|,\d)?)(?![\d/]|[.,]\d|\s{0,3}(?:bpm|beat|[-–]\s?\d|to\s\d))",
    re.IGNORECASE,
)
_TEMPO_ALONE = re.compile(
    r"(?:(?<![^\W_])at\s{1,3}|@\s{0,3})(\d{2,3})(?=\s{0,3}(?:[,;!?)]|\.(?!\d)|$|(?:with|and|for|in|on|by)\b))",
    re.IGNORECASE,
)
_AT_GLUED = re.compile(r"(?<=[^\W_])@(?=\s{0,3}\d)")  # "piano@90"
_OF = frozenset(("of", "von", "de", "di"))
_LONGEST_NUMBER = 6  # words

_ABSENT = re.compile(r"(?<![^\W_])(?!n?or-)([^\W\d_]{2,24})[-‐–](?:free|less|frei|los)\b", re.IGNORECASE)
_ABSENT_NOUN = re.compile(r"\b(drum|percussion|vocal)\s{1,3}free\b", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"(?<![\d.,/])(\d{2,3}),(\d|25|50|75)(?=\s{0,3}bpm\b)", re.IGNORECASE)  # "95,5 bpm"
# "-drums", as search engines write it; other words are as often a heading or the rest of a compound ("und -Gitarre").
_EXCLUDED = re.compile(
    r"(?<![^\s,;(])(?<!und )(?<!and )-"
    r"(?=(?:drums?|bass|percussion|beats?|vocals?|lyrics|singing)\s{0,3}(?:$|[,;)]|\s-))",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"\s{1,3}([^\W\d_]+)")
# Portuguese for "in the": "uma música no piano", where a word of the prompt is of no other language.
_IN_THE = re.compile(
    r"(?<=[^\W_]\s)(?<!\s[ey]\s)no"
    r"(?=\s{1,3}(?!(?:drums?|bass|beats?|percussion|vocals?|voices?|lyrics|singing)\b)[^\W\d_])",
    re.IGNORECASE,
)
_PORTUGUESE = frozenset(("batida", "muito", "nao", "relaxante", "som", "tocada", "tocado", "um", "uma", "violao"))
_ABSENT_IN_ONE = re.compile(r"(?<![^\W_])([^\W\d_]{3,24}?)(?:less|frei|los)(?:e[mnrs]?)?(?![^\W_])", re.IGNORECASE)


class NormalForms:
    """Rewrites prompts for a model that knows certain words."""

    def __init__(
        self,
        *,
        tempo: Collection[str],
        keys: Mapping[Phrase, str],
        moods: Collection[str],
        players: frozenset[str],
        unplayable: frozenset[str],
    ) -> None:
        """
        Args:
            tempo: phrases such as "beats per minute".
            keys: names of keys, such as "G major", by all words for them.
            moods: words of which a minor or a major key follows.
            players: words for what can play.
            unplayable: words for what the model can't play.
        """
        self._tempo, self._ranges = tuple(map(tokens.words, tempo)), TempoRanges(tempo)
        self._keys = WrittenKeys(keys, moods)
        self._players, self._unplayable = players, unplayable

    def normal(self, prompt: str) -> str:
        """The prompt without invisible characters, and with one tempo in digits before its unit, keys with their mode,
        instruments without their pitch, and "no" before what shall not play.
        """
        prompt = tokens.visible(prompt)
        prompt = tokens.edited(prompt, list(self._numbers(prompt)))
        prompt = self._ranges.in_the_middle(_PER_MINUTE.sub(" bpm", prompt))
        prompt = _TEMPO_BEFORE.sub(r"\1 bpm", prompt)
        prompt = _TEMPO_ALONE.sub(r"at \1 bpm", _AT_GLUED.sub(" @", prompt))
        prompt = _EXCLUDED.sub("no ", _DECIMAL_COMMA.sub(r"\1.\2", prompt))
        if not _PORTUGUESE.isdisjoint(tokens.words(prompt)):
            prompt = _IN_THE.sub("em", prompt)
        for pattern, words in (
            (_ABSENT, self._players | self._unplayable),
            (_ABSENT_NOUN, self._players),
            (_ABSENT_IN_ONE, self._players),
        ):
            prompt = pattern.sub(partial(self._absent, words), prompt)
        return self._keys.normal(prompt)

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

    def _absent(self, words: Collection[str], found: re.Match[str]) -> str:
        """ "drumless" is "no drum", but "endless" and "royalty-free" stay; a "bassless guitar" is "no bass, guitar"."""
        if tokens.numbers(tokens.fold(found[1])).isdisjoint(words):
            return found[0]
        after = _NEXT_WORD.match(found.string, found.end())
        apart = after is not None and not tokens.numbers(tokens.fold(after[1])).isdisjoint(self._players)
        return f"no {found[1]}{',' if apart else ''}"
