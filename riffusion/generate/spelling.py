"""Finds the known word that a misspelled one stands for, in time that doesn't depend on how many are known."""

from collections.abc import Iterable, Iterator

_SHORTEST, _LONGEST = 3, 24  # letters of words that are looked up; it bounds the work, which grows with their square
_SHORT = 4  # words up to this length are near too many others: they may only lack or repeat a letter


class Spelling:
    """An index of words by themselves with one letter deleted, on both sides: the symmetric deletion method.

    Two words that are equal after at most one deletion from each are one insertion, deletion, replacement or swap of
    neighbours apart, or one moved letter. The first letters must agree.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._by_deletion: dict[str, str] = {}
        for word in sorted(words, key=lambda word: (len(word), word)):
            if _SHORTEST < len(word) <= _LONGEST:
                for form in _deletions(word):
                    self._by_deletion.setdefault(form, word)

    def nearest(self, word: str) -> str | None:
        """The known word of more than three letters that this one, which isn't known, misspells."""
        if not _SHORTEST <= len(word) <= _LONGEST:
            return None
        for form in _deletions(word):
            known = self._by_deletion.get(form)
            if known and known[0] == word[0] and (len(word) > _SHORT or _is_one_letter_off(word, known)):
                return known
        return None


def _deletions(word: str) -> Iterator[str]:
    yield word
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]


def _is_one_letter_off(word: str, known: str) -> bool:
    """Whether a short word lacks a letter of the known one, or has one twice."""
    if len(word) < len(known):
        return True
    return any(left == right for left, right in zip(word, word[1:], strict=False)) and len(word) > len(known)
