"""The words of a prompt as they were typed, and what is to stand in their place."""

import re
from collections.abc import Container

from riffusion.generate import tokens

_COMMA = re.compile(r"\s{0,3},\s{0,3}")


class TypedWords:
    """A prompt in words, which are counted from 0 on."""

    def __init__(self, prompt: str) -> None:
        self._prompt, self._found = prompt, list(tokens.TOKEN.finditer(prompt))
        self.words = tokens.folded([token[0] for token in self._found])
        self.breaks = tokens.breaks(prompt, self._found)
        """For each word, the index after the last one that punctuation doesn't separate from it."""
        self.between = tokens.between(prompt, self._found)
        """What stands before each word."""
        self._edits: list[tuple[int, int, str]] = []

    def shown(self, first: int, end: int) -> str:
        """These words, without the last, and what stands between them."""
        return tokens.shown(self._typed(first, end))

    def replace(self, first: int, end: int, text: str) -> None:
        """Puts a text in the place of these words, without the last; where they say the same, they stay."""
        if tokens.typed(text) != tokens.typed(self._typed(first, end)):
            self._edits.append((self._found[first].start(), self._found[end - 1].end(), text))

    def leave_out(self, first: int, end: int, after: Container[str] = ()) -> None:
        """Removes these words, without the last, and the space or one of the commas around them.

        Args:
            after: words that go with them if they stand before them.
        """
        while first and self.words[first - 1] in after and not self.between[first]:
            first -= 1
        start, stop = self._found[first].start(), self._found[end - 1].end()
        comma = _COMMA.match(self._prompt, stop)
        if comma and self._prompt[:start].rstrip()[-1:] in ("", ","):
            stop = comma.end()
        elif end < min(len(self.words), self.breaks[first]):
            stop = self._found[end].start()
        self._edits.append((start, stop, ""))

    def edited(self) -> str:
        """The prompt as it is to be."""
        return tokens.edited(self._prompt, self._edits)

    def _typed(self, first: int, end: int) -> str:
        return self._prompt[self._found[first].start() : self._found[end - 1].end()]
