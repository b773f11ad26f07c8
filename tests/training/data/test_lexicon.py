"""The words of strangers."""

import json
from collections import defaultdict
from random import Random

import pytest

from riffusion.training.data.captions import Stated, vocabulary
from riffusion.training.data.lexicon import LANGUAGES, missing, model_vocabulary, words_of
from riffusion.training.data.misspelling import misspell, misspell_word, without_accents
from riffusion.training.data.rewordings import WAYS, plain, reword
from riffusion.training.models.text_encoder import TOPICS

_TOPICS = ("lead", "genre", "kind", "speed", "mood")
_STATED = Stated("solo", "jazz", "acoustic guitar", 80, "slow", "sad", False, "A minor")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_words_for_what_captions_state_only(language: str) -> None:
    words = words_of(language)
    for topic in _TOPICS:
        assert set(getattr(words, topic)) <= set(TOPICS[topic])
    assert set(words.lead) == {*TOPICS["lead"]} - {None}
    assert set(words.speed) == {"slow", "medium", "fast"}
    assert len(words.notes) == 12


def test_in_english_every_phrase_has_one_meaning() -> None:
    meanings = defaultdict(set)
    for topic in _TOPICS:
        for value in filter(None, TOPICS[topic]):
            for phrase in words_of("en").of(topic, str(value)):
                meanings[phrase].add(value)
    assert {phrase: values for phrase, values in meanings.items() if len(values) > 1} == {}


def test_what_is_missing_is_not_known() -> None:
    listed = model_vocabulary()
    known = {phrase for topic in vocabulary() for phrase in listed[topic]}
    known |= {phrase for phrases in listed["synonyms"].values() for phrase in phrases}
    absent = {phrase for phrases in listed["nearest"].values() for phrase in phrases} | {*listed["sounds"]}
    assert known & absent == set()
    assert all(set(table) <= set(TOPICS[topic]) for topic, table in missing().items())
    assert json.loads(json.dumps(listed)) == listed


@pytest.mark.parametrize("seed", range(20))
def test_a_mistake_keeps_the_first_letter_and_most_others(seed: int) -> None:
    wrong = misspell_word("saxophone", Random(seed))
    assert wrong[0] == "s"
    assert abs(len(wrong) - len("saxophone")) <= 1
    assert misspell("an 80s sax", Random(seed)) == "an 80s sax"


def test_accents_can_be_left_out() -> None:
    assert without_accents("guitare électrique, ёлка") == "guitare electrique, елка"


def test_a_plain_caption_states_everything() -> None:
    assert plain(_STATED, "80") == "sad jazz acoustic guitar solo without drums in A minor, 80 bpm"
    assert plain(Stated("full", lead="flute", drums=True), None) == "band with flute with drums"
    assert plain(Stated("drums", speed="fast", drums=True), None) == "fast drums"


@pytest.mark.parametrize("way", WAYS)
def test_a_rewording_belongs_to_a_caption_of_the_same_facts(way: str) -> None:
    caption, other = reword(way, "sad jazz guitar", _STATED, Random(1))
    assert "guitar" in caption
    assert caption != other
    assert reword(way, "sad jazz guitar", _STATED, Random(1)) == (caption, other)


def test_languages_have_their_own_compounds_adjectives_and_keys() -> None:
    written = {language: {reword(language, "", _STATED, Random(n))[1] for n in range(200)} for language in LANGUAGES}
    assert any("Gitarrensolo" in text for text in written["de"])
    assert any("A-Moll" in text for text in written["de"])
    assert any("sans batterie" in text for text in written["fr"])
    assert any("la menor" in text for text in written["es"])
