"""Keys without their mode, and notes that are no keys: a "B flat clarinet" plays in any."""

import re
from collections.abc import Collection, Mapping

from riffusion.generate import tokens
from riffusion.generate.note_names import NOTE, major_keys, may_be_a_word, pitch_of
from riffusion.generate.tokens import Phrase

_IN = r"(?:in|en|(?-i:em)|в|во)\s{1,3}"  # "Em" is a chord
_TONALITY = r"(?:(?:tonart|тональност[ьи])(?:\s{0,3}[:=])?|tonali(?:t[éeàa]|dade?)(?:\s{1,3}d[ei]|\s{0,3}:)?)\s{1,3}"
_KEY_OF = rf"(?:{_TONALITY}|key\s{{0,3}}(?:of|is|[:=])\s{{0,3}})"
_KEY = re.compile(rf"(?<![^\W_])(?:({_IN})|{_KEY_OF})({NOTE})", re.IGNORECASE)
_NEVER_ALONE = ("a", "LA")  # an article, a city
_CHURCH_MODES = {"ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian"}
_WORD_AFTER = re.compile(r"\s{1,3}([^\W\d_]+)")
_LINK_WORDS = "and at avec by com con e et feat featuring for mit on und using with y a à bei für para per pour с и"
_LINKS = frozenset(map(tokens.fold, _LINK_WORDS.split()))

_GERMAN = (
    "trompete trompeten kornett flügelhorn posaune klarinette klarinetten saxophon saxofon tenorsaxophon tenorsaxofon"
)
_CLARINETS = "clarinet clarinette clarinetto clarinete кларнет klarinette klarinetten bassklarinette"
_SAXOPHONES = (
    "sax saxophone saxophon saxofon saxofón sassofono saxofone saxo саксофон altsaxophon altsaxofon tenorsaxophon "
    "tenorsaxofon"
)
_BRASS = (
    "trumpet trompete trompeten trompette trompeta tromba труба cornet kornett cornetta corneta корнет flugelhorn "
    "flügelhorn trombone posaune trombon тромбон euphonium tuba туба"
)
_HORNS = "horn hörner cor corno trompa валторна waldhorn englischhorn"
_BUILT_IN = {
    pitch: frozenset(map(tokens.fold, " ".join(names).split()))
    for pitch, names in {
        "Bb": (_BRASS, _CLARINETS, _SAXOPHONES),
        "B": (_GERMAN,),  # a B flat, there
        "Eb": (_CLARINETS, _SAXOPHONES),
        "A": (_CLARINETS,),
        "F": (_HORNS,),
    }.items()
}
_TRANSPOSING = frozenset().union(*_BUILT_IN.values())
_SIZE = r"(?:alto?|tenore?|ténor|soprano?|bass|bariton[eo]?|barítono|baryton|contralto|альт|тенор|french|english)"
_INSTRUMENT_IN = re.compile(rf"(?<![^\W_])([^\W\d_]+)((?:\s{{1,3}}{_SIZE})?)\s{{1,3}}{_IN}({NOTE})", re.IGNORECASE)
_PITCHED = re.compile(
    r"(?<![^\W_])(?:(?-i:[B-H])(?:[#♯♭]|b|[\s-](?:sharp|flat))?|[a-g](?:[#♯♭]|b|[\s-](?:sharp|flat))|A(?=-)|(?-i:Es|As))"
    rf"[\s-]{{1,3}}((?:{_SIZE}[\s-]{{1,3}})?([^\W\d_]+))",
    re.IGNORECASE,
)

# Germans call B flat B, and B H. What makes a prompt German is the word before; some are compounds, as is Klaviermusik.
_GERMAN_WORD = (
    r"(?:[^\W\d_]*(?:klavier|flügel|geige|violine|gitarre|streicher|flöte|glocken|harfe|akkordeon|musik|stück)(?:en?|n)?"
    r"|[^\W\d_]*(?:quartett|konzert|walzer)|chor|kirchenorgel)"
)
_GERMAN_B = re.compile(
    rf"(?<![^\W_])((?:{_GERMAN_WORD},?\s{{1,3}}in\s{{1,3}}|tonart(?:\s{{0,3}}[:=])?\s{{1,3}})(?-i:B))"
    r"(?!\w|[#♯♭&+/'’‐–-]|\.\w|[\s,(]{1,4}(?:dur|maj\w{0,3}|major|min|minor|mineure?|minore|menor|flat|sharp|natural)\b)",
    re.IGNORECASE,
)


class WrittenKeys:
    """Rewrites keys in prompts."""

    def __init__(self, keys: Mapping[Phrase, str], moods: Collection[str]) -> None:
        """
        Args:
            keys: names of keys, such as "G major", by all words for them.
            moods: words of which a minor or a major key follows.
        """
        self._keys = keys
        self._major_keys = major_keys(keys)
        self._modes = _CHURCH_MODES | {phrase[-1] for phrase in keys}
        self._moods = moods

    def normal(self, prompt: str) -> str:
        """The prompt without the pitches of instruments, and with the mode of keys that have none."""
        prompt = _GERMAN_B.sub(r"\1b", prompt)
        prompt = _PITCHED.sub(_unpitched, _INSTRUMENT_IN.sub(self._instrument, prompt))
        return _KEY.sub(self._key, prompt) if set(tokens.words(prompt)).isdisjoint(self._moods) else prompt

    def _major_key(self, note: str, found: re.Match[str], *, after_in: bool) -> str | None:
        """The major key of the note at the end of what was found, if it stands for a key: no mode follows.

        After "in" it may also be a word, if one follows that it may belong to.
        """
        after = _WORD_AFTER.match(found.string, found.end())
        word = tokens.fold(after[1]) if after else ""
        belongs = note in _NEVER_ALONE or (word and word not in _LINKS and may_be_a_word(note))
        return None if word in self._modes or (after_in and belongs) else self._major_keys.get(tokens.words(note))

    def _instrument(self, found: re.Match[str]) -> str:
        """ "Horn in F" is a horn, "horn in F major" plays in F major."""
        key = self._major_key(found[3], found, after_in=True)
        built = key and not tokens.numbers(tokens.fold(found[1])).isdisjoint(_BUILT_IN.get(pitch_of(key), ()))
        return f"{found[1]}{found[2]}" if built else found[0]

    def _key(self, found: re.Match[str]) -> str:
        """ "In G" is in G major, unless another mode follows."""
        before, note = found[0].removesuffix(found[2]), found[2]
        key = self._major_key(note, found, after_in=found[1] is not None)
        as_typed = f"{note} major"
        return found[0] if not key else f"{before}{as_typed if tokens.words(as_typed) in self._keys else key}"


def _unpitched(found: re.Match[str]) -> str:
    """ "B flat trumpet" is a trumpet."""
    named = not tokens.numbers(tokens.fold(found[2])).isdisjoint(_TRANSPOSING)
    return found[1] if named else found[0]
