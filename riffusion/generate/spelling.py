"""Finds the known word that a misspelled one stands for, in time that doesn't depend on how many are known."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

_SHORTEST, _LONGEST = 3, 24  # letters of words that are looked up; the work grows with their square
_SHORT = 6  # words up to this length are near too many others: they have to sound alike
_SHORTER = 4  # and up to this length, to lack or repeat a letter, too: "bell" isn't "ball"
_HELD = re.compile(r"(.)\1{2,}")  # a letter three times or more
_SLANG = re.compile(r"z$")  # a plural
_VOWELS = frozenset("aeiouаеёиоуыэюя")


class Spelling:
    """An index of words by themselves with one letter deleted, on both sides: the symmetric deletion method.

    Two words that are equal after at most one deletion from each are one insertion, deletion, replacement or swap of
    neighbours apart, or one moved letter. First letters have to agree.
    """

    def __init__(self, words: Iterable[str], preferred: Collection[str] = ()) -> None:
        self._preferred = preferred
        self._by_deletion: defaultdict[str, list[str]] = defaultdict(list)
        self._words = frozenset(words)
        for word in sorted(self._words):
            if _SHORTEST < len(word) <= _LONGEST:
                for form in _deletions(word):
                    self._by_deletion[form].append(word)

    def nearest(self, word: str) -> str | None:
        """A known word of more than three letters that this one, which isn't known, may misspell.

        Of several, one that sounds alike, then a preferred one, then one of about the same length. A letter that is
        held ("sloooow") may be one or two, and a last "z" an "s" ("beatz").
        """
        for held in (_HELD.sub(r"\1", word), _HELD.sub(r"\1\1", word), _SLANG.sub("s", word)):
            if held != word and (meant := held if held in self._words else self.nearest(held)):
                return meant
        if not _SHORTEST <= len(word) <= _LONGEST:
            return None
        found = {known for form in _deletions(word) for known in self._by_deletion.get(form, ())}
        near = [known for known in found if len(word) > _SHORT or _sounds_alike(word, known)]
        return min(
            near,
            key=lambda known: (
                not _sounds_alike(word, known),
                known not in self._preferred,
                abs(len(known) - len(word)),
                known,
            ),
            default=None,
        )


def _deletions(word: str) -> Iterator[str]:
    """The word, and it without one of its letters after the first."""
    yield word
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]


def _sounds_alike(word: str, known: str) -> bool:
    return _consonants(word) == _consonants(known) and (len(word) > _SHORTER or len(word) != len(known))


def _consonants(word: str) -> list[str]:
    """Its consonants, doubled ones once."""
    return [letter for letter, _ in groupby(letter for letter in word if letter not in _VOWELS)]
