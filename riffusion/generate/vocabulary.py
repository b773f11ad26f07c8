"""Whether a prompt holds any word that a model was trained on, for models that come with a list of them."""

import re

from riffusion.diffusion.checkpoint import Vocabulary

SLOWEST_BPM, FASTEST_BPM = 60, 180
_WORD = re.compile(r"[^\W\d_]{2,}")  # hyphens split words: "hip-hop" is known by either half
_TEMPO = re.compile(r"\b(\d{2,3})(?:\.\d+)?\s*(?:bpm|beats per minute)\b")
_SAY_NOTHING = frozenset({"and", "at", "in", "of", "on", "per", "the", "with"})
_SHOWN = 60  # characters of a prompt in a message


class KnownWords:
    """The words of a model."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._topics = {topic: phrases for topic, phrases in vocabulary.items() if topic != "tempo"}
        self._words = {word for phrases in self._topics.values() for phrase in phrases for word in _words(phrase)}

    def in_prompt(self, prompt: str) -> bool:
        """Whether it holds a word of the model, in singular or plural, or a tempo that a clip can have."""
        if any(SLOWEST_BPM <= int(number) <= FASTEST_BPM for number in _TEMPO.findall(prompt.lower())):
            return True
        return any({word, f"{word}s", word.removesuffix("s")} & self._words for word in _words(prompt))

    def warning(self, prompt: str) -> str | None:
        """The warning for a prompt without any such word; None for an empty one, which asks for nothing."""
        if not prompt.strip() or self.in_prompt(prompt):
            return None
        shown = prompt if len(prompt) <= _SHOWN else f"{prompt[:_SHOWN]}…"
        examples = ", ".join(f"{phrases[0]} ({topic})" for topic, phrases in self._topics.items() if phrases)
        return f"The model knows no word of “{shown}”, so it plays what it likes. It knows words such as {examples}."


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _SAY_NOTHING
