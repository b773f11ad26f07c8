"""Misspells words as people do, so that a text encoder learns to read "pianno" and "saxaphone"."""

import unicodedata
from random import Random

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# What is written for what is heard. Doubled letters lose one by `_drop`.
_HEARD = (
    ("ph", "f"), ("f", "ph"), ("x", "ks"), ("ck", "k"), ("c", "k"), ("k", "c"), ("qu", "kw"), ("ui", "i"), ("ea", "ee"),
    ("o", "a"), ("a", "e"), ("e", "a"), ("i", "e"), ("i", "y"), ("y", "i"), ("y", "ie"), ("s", "z"), ("z", "s"),
    ("v", "w"), ("tr", "ch"), ("th", "t"), ("ss", "s"), ("ou", "u"), ("u", "oo"), ("oo", "u"), ("io", "oi"),
)  # fmt: skip
_SHORTEST = 4  # letters; "sax" with a letter less could be anything


def misspell(text: str, rng: Random) -> str:
    """The text with a mistake in one of its words, or in two; texts of short words alone stay as they are."""
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if word.isalpha() and len(word) >= _SHORTEST]
    for n in rng.sample(long, min(len(long), rng.choice((1, 1, 2)))):
        words[n] = misspell_word(words[n], rng)
    return " ".join(words)


def misspell_word(word: str, rng: Random) -> str:
    """The word with one mistake after its first letter."""
    return rng.choice((_drop, _double, _swap, _neighbour, _heard, _heard))(word, rng)


def without_accents(text: str) -> str:
    """The text as it is typed on a keyboard without accents; letters such as "ё" lose theirs, too."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _drop(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _double(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at] + word[at:]


def _swap(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _neighbour(word: str, rng: Random) -> str:
    """A key beside the right one; letters of other keyboards stay."""
    at = rng.randrange(1, len(word))
    beside = [
        row[n]
        for row in _ROWS
        if word[at] in row
        for n in (row.index(word[at]) - 1, row.index(word[at]) + 1)
        if 0 <= n < len(row)
    ]
    return word[:at] + rng.choice(beside) + word[at + 1 :] if beside else word


def _heard(word: str, rng: Random) -> str:
    fitting = [(right, wrong) for right, wrong in _HEARD if right in word[1:]]
    if not fitting:
        return _drop(word, rng)
    right, wrong = rng.choice(fitting)
    return word[0] + word[1:].replace(right, wrong, 1)
