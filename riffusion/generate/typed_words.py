"""The words of a prompt as they were typed, and what is to stand in their place."""

from riffusion.generate import tokens


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

    def leave_out(self, first: int, end: int) -> None:
        """Removes these words, without the last, and the space after them."""
        joined = end < len(self.words) and end < self.breaks[first]
        self._edits.append(
            (self._found[first].start(), self._found[end].start() if joined else self._found[end - 1].end(), "")
        )

    def edited(self) -> str:
        """The prompt as it is to be."""
        return tokens.edited(self._prompt, self._edits)

    def _typed(self, first: int, end: int) -> str:
        return self._prompt[self._found[first].start() : self._found[end - 1].end()]
