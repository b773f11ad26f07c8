"""How keys are written in symbols and abbreviations: "C#m", "Bbmaj", "C#-Moll", "do# menor"."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from riffusion.generate import tokens
from riffusion.generate.tokens import Phrase

_LETTER = re.compile("[a-g][#b]?")
_SHORT = {"minor": ("m", "min"), "major": ("maj",)}
_SIGNS = {
    **dict.fromkeys(("sharp", "sostenido", "diese", "diesis", "sustenido", "диез"), "#"),
    **dict.fromkeys(("flat", "bemol", "bemolle", "бемоль"), "b"),
}


def key_forms(keys: Iterable[str], synonyms: Mapping[str, Sequence[str]]) -> Iterator[tuple[Phrase, str]]:
    """Other forms of keys, with the name of each.

    Args:
        keys: names such as "C# minor".
        synonyms: other words for these and for "in a minor key" and "in a major key", in any language.
    """
    modes = {mode: _modes(synonyms.get(f"in a {mode} key", ())) for mode in _SHORT}
    for name in sorted(keys, key=len):  # "C# minor" before "C sharp minor"
        for each in (name, *synonyms.get(name, ())):
            note, *signs, mode = tokens.words(each)
            english = next((known for known, words in modes.items() if mode in words), None)
            if english and _SIGNS.keys() >= set(signs):
                tonic = "".join([note, *(_SIGNS[sign] for sign in signs)])
                yield from ((form, name) for form in _forms(tonic, english, modes[english]))


def _modes(phrases: Iterable[str]) -> list[str]:
    return [phrase[0] for phrase in map(tokens.words, phrases) if len(phrase) == 1]


def _forms(tonic: str, english: str, modes: Iterable[str]) -> Iterator[Phrase]:
    if tonic.endswith(("#", "b")):
        yield from ((tonic, mode) for mode in modes)
    if _LETTER.fullmatch(tonic):
        for short in _SHORT[english]:
            yield (tonic, short)
            yield (f"{tonic}{short}",) if len(tonic) > 1 or short != "m" else (f"{tonic.upper()}m",)
