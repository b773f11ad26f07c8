"""Names of notes as seven languages write them: "F sharp", "Bb", "sol bémol", "Fis", "ре-диез"."""

from collections.abc import Mapping

from riffusion.generate import tokens
from riffusion.generate.tokens import Phrase

_SIGN = r"(?:[#♯♭]|[\s-](?:di[eè]se|diesis|sostenido|sustenido|b[eé]mol|bemolle|диез|бемоль)(?![^\W_]))"
_SOLFEGE = rf"(?:d[oó]|r[eé]|mi|f[aá]|sol|l[aá]|si|до|ре|ми|фа|соль|ля|си){_SIGN}?"
# In small letters "es" and "as" are words, and the others may be minor keys.
_GERMAN = "(?-i:Cis|Des|Dis|Es|Fis|Ges|Gis|As|Ais|H)"
_ALSO_WORDS = frozenset(("do", "la", "mi", "si", "до"))

NOTE = rf"(?:(?:[a-g](?:[#♯♭]|b(?![^\W_])|[\s-](?:sharp|flat)\b)?|{_GERMAN}|{_SOLFEGE})(?![^\W_]|[#♯♭&+/'’‐–-]|\.\w))"
"""A regular expression, for `re.IGNORECASE`."""


def major_keys(keys: Mapping[Phrase, str]) -> dict[Phrase, str]:
    """The English names of the major keys on notes, by the notes' words.

    Args:
        keys: names such as "B flat major" by other words for them.
    """
    named: dict[Phrase, str] = {}
    for (*note, _), name in keys.items():
        if note and name.endswith(" major"):
            named.setdefault(tuple(note), name)
    return named


def pitch_of(key: str) -> str:
    """The note of a major key: "Bb" of "B flat major"."""
    return key.removesuffix(" major").replace(" sharp", "#").replace(" flat", "b")


def may_be_a_word(note: str) -> bool:
    """Whether it may also be a word, to which the next one belongs: "in a band", "In A Silent Way", "en la playa"."""
    return tokens.fold(note) in _ALSO_WORDS or note == "A" or (len(note) == 1 and note.islower())
