"""What a model makes of a prompt, and how that is put to people."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

_SHOWN = 60  # characters of a prompt in a message
_SHOWN_WORD = 30
_NAMED = 3  # words in a message


@dataclass
class Reading:
    """The words of a prompt by what they mean to the model, each once and in order."""

    possible_tempi: range
    known: dict[str, None] = field(default_factory=dict)
    negated: dict[str, None] = field(default_factory=dict)
    """Known words after a "no" or "without" that the model doesn't understand."""
    replaced: dict[str, str] = field(default_factory=dict)
    """With what is played instead."""
    misspelled: dict[str, str] = field(default_factory=dict)
    """With the word that is meant."""
    sounds: dict[str, None] = field(default_factory=dict)
    """What isn't music."""
    unknown: dict[str, None] = field(default_factory=dict)
    tempi: list[int] = field(default_factory=list)
    """In beats per minute."""
    other_meters: list[str] = field(default_factory=list)

    def warnings(
        self, prompt: str, examples: Mapping[str, str], meters: Collection[str], *, reads_others: bool
    ) -> list[str]:
        """One sentence for each way in which the clip won't be what the prompt says.

        `reads_others` is whether the model was taught misspelled words, too. `examples` are phrases that it knows, by topic.
        """
        wrong_tempi = [bpm for bpm in self.tempi if bpm not in self.possible_tempi]
        found = [
            *self._about_others(),
            self._about_spelling(reads_others=reads_others),
            self._about_meters(meters),
            self._about_tempi(wrong_tempi),
        ]
        understood = self.known or self.replaced or len(wrong_tempi) < len(self.tempi)
        if not understood and (self.unknown or self.negated or not any(found)):
            return [_knows_nothing(prompt, examples), *filter(None, found[-2:])]
        if self.unknown:
            known = f"; it goes by {_quoted(self.known)}" if self.known else ""
            found.insert(0, f"The model doesn't know {_quoted(self.unknown)}{known}.")
        return [message for message in found if message]

    def _about_others(self) -> list[str]:
        """About words that it understands but can't follow."""
        found = []
        if self.replaced:
            instead = dict.fromkeys(list(self.replaced.values())[:_NAMED])
            found.append(f"The model can't play {_quoted(self.replaced, 'or')}; the nearest is {_listed(instead)}.")
        if self.sounds:
            found.append(f"The model plays music only, not {_quoted(self.sounds, 'or')}.")
        if self.negated:
            found.append(f"To leave out {_quoted(self.negated)}, use the negative prompt.")
        return found

    def _about_spelling(self, *, reads_others: bool) -> str:
        if not self.misspelled:
            return ""
        words, meant = _quoted(self.misspelled), _quoted(list(self.misspelled.values()))
        if reads_others:
            return f"The model reads {words} as {meant}."
        return f"The model doesn't know {words}; it knows {meant}."

    def _about_meters(self, meters: Collection[str]) -> str:
        other = dict.fromkeys(self.other_meters)
        return f"The model plays in {_listed(sorted(meters, reverse=True))}, not in {_listed(other, 'or')}." if other else ""

    def _about_tempi(self, wrong: list[int]) -> str:
        if not wrong:
            return ""
        first, last = self.possible_tempi[0], self.possible_tempi[-1]
        return f"The model plays at {first} to {last} bpm, not at {_listed(map(str, dict.fromkeys(wrong)), 'or')}."


def _knows_nothing(prompt: str, examples: Mapping[str, str]) -> str:
    shown = _cut(prompt, _SHOWN)
    known = ", ".join(f"{phrase} ({topic})" for topic, phrase in examples.items())
    return f"The model knows no word of “{shown}”, so it plays what it likes. It knows words such as {known}."


def _quoted(words: Iterable[str], last: str = "and") -> str:
    return _listed((f"“{_cut(word, _SHOWN_WORD)}”" for word in words), last)


def _listed(words: Iterable[str], last: str = "and") -> str:
    """The words as in a sentence, the first few of many."""
    every = list(words)
    shown = every[:_NAMED] + ([f"{len(every) - _NAMED} more"] if len(every) > _NAMED else [])
    return f" {last} ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
