"""How far a "no" reaches: "no drums and bass", "sans batterie ni basse", "no drums, bass or guitar"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from riffusion.generate.negation_words import (
    ANDS,
    AUXILIARIES,
    DEGREES,
    NEGATIONS,
    NORS,
    NOTS,
    OFTEN_ABSENT,
    ONLYS,
    ORS,
)
from riffusion.generate.tokens import Phrase

PLAYER = "player"
"""The topic of what can play: instruments, and kinds of piece such as a bass line."""


_OF = ("de", "d", "di")  # "pas de batterie et de basse"
_SIGNS, _COMMAS = ("&", "+", "/"), (",", "，", "、")
_ALSO_ADDING = ("+", "/")  # "no drums + piano" has a piano
_ENDS = frozenset(",;.!?，、。")
_LONGEST_NUMBER = 2  # digits of one that a "no" may count: "techno no 808" leaves something out
# Negations at the start of a clause only, or after these words: not in "ground zero" and "love hate".
_CLAUSE_STARTERS: dict[Phrase, Phrase] = {("zero",): (), ("hate",): ("i", "we")}


@dataclass
class Negation:
    """The last negation of a prompt, as far as the prompt has been read."""

    at: int = -1
    """The index of the word where it begins or goes on; -1 where there is none that could go on."""
    holds: bool = False
    """Whether it holds for what comes next."""
    absent: Phrase = ()
    """What it held for last."""
    without: bool = False
    """Whether it is a "without", after which captions say "and"."""
    of_adjective: bool = False
    """Whether it holds for a word that describes something, but not for the thing: "not too fast drums"."""
    described: bool = False
    """Whether what it holds for is described: "no loud drums"."""

    @classmethod
    def begun(cls, phrase: Phrase, words: Phrase, at: int) -> "Negation":
        """The one that such a phrase, at this index of a prompt's words, begins."""
        of_adjective = phrase in NOTS and not AUXILIARIES.intersection(words[at - 1 : at])
        return cls(at, holds=True, without=phrase == ("without",), of_adjective=of_adjective)

    def at_word(self, word: str, before: str) -> "Negation":
        """The negation at the next word: it ends with its clause, and after "too" it is of what is too much.

        Args:
            before: what stands before the word.
        """
        if not self.holds:
            return self
        if not _ENDS.isdisjoint(before):
            return Negation()
        return replace(self, of_adjective=True) if word in DEGREES else self

    def after(self, phrase: Phrase, at: int) -> "Negation":
        """The negation after a phrase that starts at `at`, which it held for if it held; "no drums" is one itself."""
        if self.holds:
            return replace(self, holds=False, described=False, absent=phrase)
        if phrase[:1] in NEGATIONS:
            return Negation(at, absent=phrase[1:], without=phrase[0] == "without")
        return Negation()


def negates(phrase: Phrase, words: Phrase, between: Sequence[str], at: int) -> bool:
    """Whether a negation leaves something out, as in "no drums", and not in "not only drums" or "Mambo No. 5".

    Args:
        between: what stands before each word.
        at: the index where it starts.
    """
    end = at + len(phrase)
    begins = at == 0 or between[at] != ""
    if phrase in _CLAUSE_STARTERS and not begins and words[at - 1] not in _CLAUSE_STARTERS[phrase]:
        return False
    if end == len(words):
        return True
    if phrase == ("no",) and words[end].isdecimal():
        apart = between[end + 1 : end + 2] in ([], [""])
        counts = not begins and between[end] == "" and apart and len(words[end]) <= _LONGEST_NUMBER
        return between[end] != "." and not counts
    return words[end] not in ONLYS or between[end] != ""


class Reach:
    """Finds what else a negation holds for."""

    def __init__(
        self, phrase_at: Callable[[Phrase, int, int], Phrase], topic_of: Callable[[Phrase], str | None]
    ) -> None:
        """
        Args:
            phrase_at: returns the phrase that starts at an index of a prompt's words and ends before another one.
            topic_of: returns what a phrase is about; None where it isn't known.
        """
        self._phrase_at, self._topic_of = phrase_at, topic_of

    def joins(self, negation: Negation, words: Phrase, at: int, end: int) -> bool:
        """Whether a word continues the negation: an "or", or an "and" before more of the kind."""
        if negation.at < 0 or words[at] in ORS:
            return negation.at >= 0
        if words[at] not in ANDS or words[negation.at] in NORS:
            return False
        following = at + 2 if words[at + 1 : at + 2] and words[at + 1] in _OF else at + 1
        return following < end and self._is_alike(negation, self._phrase_at(words, following, end))

    def lists(self, negation: Negation, words: Phrase, at: int, between: Sequence[str]) -> bool:
        """Whether a word is in the negation's list: after an "&", or after a comma where an "or" comes later.

        Args:
            between: what stands before each word.
        """
        if negation.at < 0 or negation.holds:
            return False
        if between[at] in _SIGNS:
            if between[at] in _ALSO_ADDING and words[at] not in OFTEN_ABSENT:
                return False
            return self._is_alike(negation, self._phrase_at(words, at, len(words)))
        while at < len(words) and between[at] in _COMMAS:
            phrase = self._phrase_at(words, at, len(words))
            at += len(phrase)
            if not self._is_alike(negation, phrase):
                return False
            if words[at : at + 1] and words[at] in NORS:
                return True
        return False

    def _is_alike(self, negation: Negation, phrase: Phrase) -> bool:
        if phrase[:1] in NEGATIONS:
            return False
        topic, before = self._topic_of(phrase), self._topic_of(negation.absent)
        return topic is not None and topic == (before or PLAYER)
