"""Captions: many wordings, each stating only what is true of its piece."""

from random import Random

import pytest

from riffusion.training.data.captions import nearest_tempo, vocabulary, write_caption
from riffusion.training.data.composer import compose
from riffusion.training.data.music import INSTRUMENT, MOOD_WORDS, SPEED_WORDS
from riffusion.training.data.piece import Piece

_CONNECTING = {
    "a",
    "an",
    "and",
    "at",
    "clip",
    "featuring",
    "in",
    "of",
    "on",
    "over",
    "play",
    "plus",
    "recording",
    "some",
}


@pytest.fixture(scope="module")
def pieces() -> list[Piece]:
    return [compose(Random(n)) for n in range(300)]


def test_same_generator_gives_the_same_wording(pieces: list[Piece]) -> None:
    assert write_caption(pieces[0], Random(5)) == write_caption(pieces[0], Random(5))


def test_wordings_vary(pieces: list[Piece]) -> None:
    assert len({write_caption(pieces[0], Random(n))[0] for n in range(50)}) > 40


def test_stated_facts_are_true_and_written(pieces: list[Piece]) -> None:
    for number, piece in enumerate(pieces):
        text, stated = write_caption(piece, Random(number))
        text = text.lower()
        assert stated.kind == piece.kind
        if stated.genre:
            assert any(word in text for word in piece.genre.words)
            assert stated.genre == piece.genre.name
        if stated.lead:
            assert piece.lead is not None
            assert any(word in text for word in INSTRUMENT[stated.lead].words)
            assert stated.lead == piece.lead.name
        if stated.bpm:
            assert nearest_tempo(_number_in(text)) == piece.bpm == stated.bpm
        if stated.mood:
            assert any(word in text for word in MOOD_WORDS[piece.mood])
        if stated.speed and not stated.bpm:
            assert any(word in text for word in SPEED_WORDS[stated.speed])


def _number_in(text: str) -> float:
    return float("".join(letter for letter in text if letter.isdigit()))


def test_vocabulary_covers_what_captions_say(pieces: list[Piece]) -> None:
    vocabulary_words = {part for words in vocabulary().values() for word in words for part in word.lower().split()}
    for number, piece in enumerate(pieces):
        text = write_caption(piece, Random(number))[0].lower().replace(",", " ")
        words = {word for word in text.split() if not any(letter.isdigit() for letter in word)}
        assert words <= vocabulary_words | _CONNECTING | {"sound", "style", "with"}
