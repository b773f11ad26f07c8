"""Words that are allowed in no prompt."""

import pytest

from riffusion.discord_bot.blocked_words import BlockedWords


@pytest.mark.parametrize("text", ["polka", "a POLKA!", "p\u200bolka", "pólka", "ｐｏｌｋａ", "wet\n noodle", "c++"])
def test_found(text: str) -> None:
    assert BlockedWords("polka, Wet Noodle,c++,").found_in(text)


@pytest.mark.parametrize("text", ["polkas", "wet", "noodle wet", "", "c"])
def test_not_found(text: str) -> None:
    assert not BlockedWords("polka, Wet Noodle,c++,").found_in(text)


@pytest.mark.parametrize("listed", ["", " , "])
def test_nothing_is_blocked_by_default(listed: str) -> None:
    assert not BlockedWords(listed).found_in("anything, at all")
