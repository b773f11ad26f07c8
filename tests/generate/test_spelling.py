"""Misspelled words."""

import pytest

from riffusion.generate.spelling import Spelling

_SPELLING = Spelling(["jazz", "piano", "guitar", "saxophone", "bell", "house", "band"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jaz", "jazz"), ("pianno", "piano"), ("gitar", "guitar"), ("saxaphone", "saxophone"),
        ("saxohpone", "saxophone"),
        ("saxophine", "saxophone"), ("saxopone", "saxophone"), ("bel", "bell"), ("belll", "bell"),
    ],
)  # fmt: skip
def test_one_mistake_is_understood(typed: str, meant: str) -> None:
    assert _SPELLING.nearest(typed) == meant


@pytest.mark.parametrize("other", ["ball", "bond", "horse", "mouse", "sexophono", "ax", "", "piano" * 5])
def test_other_words_stay_unknown(other: str) -> None:
    assert _SPELLING.nearest(other) is None
