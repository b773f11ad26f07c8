"""Captions: many wordings, each stating only what is true of its piece."""

import re
from random import Random

import pytest

from riffusion.training.data.captions import all_about, nearest_tempo, vocabulary, write_caption
from riffusion.training.data.composer import compose
from riffusion.training.data.keys import KEYS, key_words
from riffusion.training.data.music import GENRE, INSTRUMENT, MOOD_WORDS, SPEED_WORDS
from riffusion.training.data.piece import Piece

_CONNECTING = {
    *("a", "an", "and", "at", "clip", "featuring", "in", "of", "on", "or", "over", "play", "plus", "recording"),
    *("some", "sound", "style", "the", "with", "time"),
    *("alone", "any", "but", "else", "just", "no", "nothing", "only", "without"),
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
        if stated.mood and not stated.key:
            assert any(word in text for word in MOOD_WORDS[piece.mood])
        if stated.key:
            assert stated.key == piece.key_name in KEYS
            assert any(word.lower() in text for word in key_words(stated.key))
        if stated.speed and not stated.bpm:
            assert any(word in text for word in SPEED_WORDS[stated.speed])


def _number_in(text: str) -> float:
    number = re.search(r"(\d+) ?(?:bpm|beats per minute)", text)
    assert number
    return float(number[1])


_NO_DRUMS = re.compile(r"no drums|or drums|without (bass and |any )?drums|no percussion|no beat")
_ALONE = re.compile(r"\b(just|only|alone|nothing)\b")


def test_drums_are_stated_when_they_are_named_or_denied(pieces: list[Piece]) -> None:
    verdicts = set()
    for number, piece in enumerate(pieces * 3):
        text, stated = write_caption(piece, Random(number))
        text = text.lower()
        verdicts.add((piece.kind, stated.drums))
        if stated.drums is not None:
            assert stated.drums == piece.has_drums
        denied = bool(_NO_DRUMS.search(text) or (piece.kind != "drums" and _ALONE.search(text)))
        assert (stated.drums is False) == denied
        if _ALONE.search(text):
            assert len(piece.parts) == 1
        if "no bass" in text or "without bass" in text:
            assert piece.kind not in {"bass", "full"}
    assert {("solo", False), ("solo", None), ("full", True), ("full", False), ("drums", True)} <= verdicts


def test_key_names_are_unambiguous() -> None:
    written = [word for key in KEYS for word in key_words(key)]
    assert len(set(written)) == len(written)
    assert "D# minor" in key_words("Eb minor")


def test_all_about_a_piece_states_its_drums_and_key() -> None:
    waltz = compose(Random(0), "full", GENRE["waltz"])
    assert all_about(waltz).drums == waltz.has_drums
    assert all_about(waltz).key == waltz.key_name
    assert all_about(compose(Random(0), "drums")).key is None


def test_vocabulary_covers_what_captions_say(pieces: list[Piece]) -> None:
    vocabulary_words = {part for words in vocabulary().values() for word in words for part in word.lower().split()}
    for number, piece in enumerate(pieces):
        text = write_caption(piece, Random(number))[0].lower().replace(",", " ")
        words = {word for word in text.split() if not any(letter.isdigit() for letter in word)}
        assert words <= vocabulary_words | _CONNECTING
