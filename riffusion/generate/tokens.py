"""The words of a prompt: how they are kept apart, compared and replaced."""

import re
import unicodedata
from collections.abc import Sequence

Phrase = tuple[str, ...]
"""Words in small letters without accents."""

# Notes with their sharps and flats, words with the accents that follow their letters, and emoji one by one.
TOKEN = re.compile(
    r"(?<![^\W_])(?:[a-h]|d[oó]|r[eé]|mi|f[aá]|sol|l[aá]|si)[#♯♭]|(?<![^\W_])w/o(?:ut)?(?![^\W_])"
    r"|(?:[^\W_][\u0300-\u036f]*)+|[\u2600-\u27bf\U0001f300-\U0001faff]\ufe0f?",
    re.IGNORECASE,
)
_JOINT = re.compile(r"[\s'’&#‐–_-]*")  # between the words of a phrase
_CHORD = re.compile("[A-G]m")  # in these letters only: "am" and "em" are words
_AFTER_AM = re.compile(r"I|i|a|an|in|not|so|the|[^\W\d_a-zäöüß][^\W\d_]{2,}")  # nouns as well: German ones
_SYMBOLS = str.maketrans("♯♭", "#b")


def fold(word: str) -> str:
    """The word in small letters without accents, as people type it."""
    letters = unicodedata.normalize("NFKD", word.translate(_SYMBOLS).casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def words(phrase: str) -> Phrase:
    """Its words and emoji; hyphens and apostrophes separate words."""
    return tuple(map(fold, TOKEN.findall(phrase)))


def folded(tokens: Sequence[str]) -> Phrase:
    """The words of a prompt; "Am" is a chord unless a sentence begins with it: "Am I sad", "Am Abend"."""
    next_word = tokens[1] if len(tokens) > 1 else ""
    chords = [_CHORD.fullmatch(token) and (at or not _AFTER_AM.fullmatch(next_word)) for at, token in enumerate(tokens)]
    return tuple(token if chord else fold(token) for token, chord in zip(tokens, chords, strict=True))


def visible(prompt: str) -> str:
    """The prompt without invisible characters, and with letters and their accents as one where they can be."""
    return "".join(each for each in unicodedata.normalize("NFC", prompt) if unicodedata.category(each) != "Cf")


def typed(phrase: str) -> list[str]:
    """Its words with their accents, in small letters."""
    return [word.casefold() for word in TOKEN.findall(phrase)]


def shown(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def numbers(word: str) -> set[str]:
    """The word, and what may be its singular or plural."""
    return {word, f"{word}s", word.removesuffix("s")}


def breaks(prompt: str, tokens: Sequence[re.Match[str]]) -> list[int]:
    """For each token, the index after the last one that punctuation doesn't separate from it."""
    breaks = [len(tokens)] * len(tokens)
    for at in range(len(tokens) - 2, -1, -1):
        joined = _JOINT.fullmatch(prompt, tokens[at].end(), tokens[at + 1].start())
        breaks[at] = breaks[at + 1] if joined else at + 1
    return breaks


def between(prompt: str, tokens: Sequence[re.Match[str]]) -> list[str]:
    """What stands before each of them, without white space."""
    ends = [0, *(token.end() for token in tokens[:-1])]
    return [prompt[end : token.start()].strip() for end, token in zip(ends, tokens, strict=False)]


def edited(prompt: str, edits: Sequence[tuple[int, int, str]]) -> str:
    """The prompt with other texts from one position to another, as words of their own, if not empty."""
    parts, done = [""], 0
    for start, end, text in edits:
        kept, after = prompt[done:start], prompt[end : end + 1]
        before = kept[-1:] or parts[-1][-1:]
        parts += [kept, f"{' ' if before.isalnum() else ''}{text}{' ' if after.isalnum() else ''}" if text else ""]
        done = end
    return "".join(parts) + prompt[done:]
