"""What a model makes of a prompt, and how that is put to people."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

SLOWEST_BPM, FASTEST_BPM = 60, 180
_SHOWN, _SHOWN_WORD = 60, 30  # characters of a prompt, and of a word, in a message
_NAMED = 3  # words in a message

_Ordered = dict[str, None]


@dataclass
class Reading:
    """The words of a prompt by what they mean to a model, each once and in order."""

    text: str = ""
    """The prompt in the words of the model."""
    tempi: dict[int, None] = field(default_factory=dict)
    """In beats per minute."""
    meters: _Ordered = field(default_factory=dict)
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """With its words in small letters without accents."""
    negated: _Ordered = field(default_factory=dict)
    """Known words after a "no" that the model doesn't understand."""
    replaced: dict[str, str] = field(default_factory=dict)
    """With what is played instead."""
    misspelled: dict[str, str] = field(default_factory=dict)
    """With the word that is meant."""
    sounds: _Ordered = field(default_factory=dict)
    """What isn't music."""
    unknown: _Ordered = field(default_factory=dict)


def warnings(reading: Reading, prompt: str, examples: Mapping[str, str], meters: Collection[str]) -> list[str]:
    """One sentence for each way in which the clip won't be what the prompt says.

    `examples` are phrases that the model knows, by topic; `meters` are those that it plays in.
    """
    wrong_tempi = [bpm for bpm in reading.tempi if not SLOWEST_BPM <= bpm <= FASTEST_BPM]
    limits = [_about_meters(reading.meters, meters), _about_tempi(wrong_tempi)]
    found = [
        _about_unknown(reading),
        _about_replaced(reading.replaced),
        f"The model plays music only, not {_quoted(reading.sounds, 'or')}." if reading.sounds else "",
        f"To leave out {_quoted(reading.negated)}, use the negative prompt." if reading.negated else "",
        _about_spelling(reading.misspelled),
        *limits,
    ]
    understood = (
        reading.known
        or reading.replaced
        or reading.negated
        or len(wrong_tempi) < len(reading.tempi)
        or not reading.meters.keys().isdisjoint(meters)
    )
    if not understood and (reading.unknown or not any(found)):
        found = [_knows_nothing(prompt, examples), *limits]
    return [sentence for sentence in found if sentence]


def _about_unknown(reading: Reading) -> str:
    if not reading.unknown:
        return ""
    by_what = f"; it goes by {_quoted(reading.known)}" if reading.known else ""
    return f"The model doesn't know {_quoted(reading.unknown)}{by_what}."


def _about_replaced(replaced: Mapping[str, str]) -> str:
    if not replaced:
        return ""
    instead = list(dict.fromkeys(list(replaced.values())[:_NAMED]))
    verb = "is" if len(instead) == 1 else "are"
    return f"The model can't play {_quoted(replaced, 'or')}; the nearest that it can {verb} {_listed(instead)}."


def _about_spelling(misspelled: Mapping[str, str]) -> str:
    if not misspelled:
        return ""
    return f"The model reads {_quoted(misspelled)} as {_quoted(dict.fromkeys(misspelled.values()))}."


def _about_meters(asked: Iterable[str], meters: Collection[str]) -> str:
    others = [meter for meter in asked if meter not in meters]
    if not others:
        return ""
    return f"The model plays in {_listed(sorted(meters, reverse=True))}, not in {_listed(others, 'or')}."


def _about_tempi(wrong: list[int]) -> str:
    if not wrong:
        return ""
    return f"The model plays at {SLOWEST_BPM} to {FASTEST_BPM} bpm, not at {_listed(map(str, wrong), 'or')}."


def _knows_nothing(prompt: str, examples: Mapping[str, str]) -> str:
    known = ", ".join(f"{phrase} ({topic})" for topic, phrase in examples.items())
    shown = _cut(prompt, _SHOWN)
    return f"The model knows no word of “{shown}”, so it plays what it likes. It knows words such as {known}."


def _quoted(words: Iterable[str], last: str = "and") -> str:
    return _listed((f"“{_cut(word, _SHOWN_WORD)}”" for word in words), last)


def _listed(words: Iterable[str], last: str = "and") -> str:
    """The words as in a sentence, the first few of many."""
    every = list(words)
    shown = every if len(every) <= _NAMED else [*every[:_NAMED], f"{len(every) - _NAMED} more"]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}" if len(shown) > 1 else shown[0]


def _cut(text: str, length: int) -> str:
    """The start of a text, in one line."""
    return " ".join(text[:length].split()) + ("…" if len(text) > length else "")
