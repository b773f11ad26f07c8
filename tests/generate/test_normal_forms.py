"""Tempi, keys and absences that are written in other ways than captions write them."""

import json

import pytest

from riffusion.generate.number_words import number_words
from riffusion.generate.vocabulary import KnownWords
from riffusion.training.data.lexicon import model_vocabulary


@pytest.fixture(scope="module")
def words() -> KnownWords:
    return KnownWords(json.loads(json.dumps(model_vocabulary())))


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("in G", "in G major"),
        ("jazz in G", "jazz in G major"),
        ("jazz in g", "jazz in g major"),
        ("Canon in D", "Canon in D major"),
        ("blues in A with guitar", "blues in A major with guitar"),
        ("piano in the key of a", "piano in the key of a major"),
        ("song in C sharp", "song in C sharp major"),
        ("techno in B♭", "techno in Bb major"),
        ("in F#, house", "in F# major, house"),
        ("key: Eb, house", "key: Eb major, house"),
        ("house in G at 124 bpm", "house in G major at 124 bpm"),
        ("Klavier, Tonart G", "piano, Tonart G major"),
    ],
)
def test_a_key_without_a_mode_is_major(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "prompt",
    [
        "in g-funk style", "in a band", "In A Silent Way", "in A minor", "guitar in e moll style", "in D Dorian, flute",
        "in a", "sad violin in G", "in C++", "made in D.C.", "in D&D style", "piano in Bb minor", "in E's band",
        "metal in drop c", "in h", "in Fb",
    ],
)  # fmt: skip
def test_what_is_no_key_or_has_a_mode_stays(words: KnownWords, prompt: str) -> None:
    assert "major" not in words.canonical(prompt)


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("sixty bpm", "60 bpm"),
        ("piano at a hundred and twenty beats per minute", "piano at 120 beats per minute"),
        ("one-twenty BPM house", "120 BPM house"),
        ("ninety-six bpm", "96 bpm"),
        ("three hundred bpm", "300 bpm"),
        ("tempo of ninety, piano", "90 bpm, piano"),
        ("neunzig Schläge pro Minute", "90 beats per minute"),
        ("Techno mit hundertachtundzwanzig bpm", "Techno with 128 bpm"),
        ("quatre-vingt-dix battements par minute", "90 beats per minute"),
        ("soixante et onze bpm", "71 bpm"),
        ("cent quatre-vingts bpm", "180 bpm"),
        ("ciento veinte bpm", "120 bpm"),
        ("noventa y cinco pulsaciones por minuto", "95 beats per minute"),
        ("centoventotto bpm", "128 bpm"),
        ("centottanta battiti al minuto", "180 beats per minute"),
        ("cento e vinte e cinco bpm", "125 bpm"),
        ("сто двадцать ударов в минуту", "120 beats per minute"),
        ("120-bpm techno", "120 bpm techno"),
        ("120 b.p.m. techno", "120 bpm techno"),
        ("rock, 120 beats a minute", "rock, 120 bpm"),
        ("techno @128", "techno at 128 bpm"),
        ("techno at 128", "techno at 128 bpm"),
        ("blues at 90 in E", "blues at 90 bpm in E major"),
    ],
)
def test_tempi_are_read_in_words_and_without_a_unit(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "prompt", ["jazz at 3 am", "piano at 90%", "sixty pianos", "at 44100 Hz", "rock at 90.5 percent"]
)
def test_other_numbers_stay(words: KnownWords, prompt: str) -> None:
    assert "bpm" not in words.canonical(prompt)


def test_every_tempo_has_words_in_seven_languages() -> None:
    numbers = list(number_words().values())
    assert all(numbers.count(n) >= 6 for n in range(40, 301))  # "cinquanta" is Italian and Portuguese


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("drum-free jazz", "no drums jazz"),
        ("drum free jazz", "no drums jazz"),
        ("drumless jazz", "no drums jazz"),
        ("percussion-less cello", "no percussion cello"),
        ("beatless piano", "no beat piano"),
        ("bassless guitar", "no bass guitar"),
        ("schlagzeugfreie Musik", "no drums music"),
        ("endless jazz", "endless jazz"),
        ("free jazz", "free jazz"),
        ("royalty-free drums", "royalty-free drums"),
        ("royalty free drums", "royalty free drums"),
        ("trap type beat free download", "trap type beat free download"),
        ("bass free solo", "bass free solo"),
        ("cello, zero drums", "cello, no drums"),
        ("cello, remove the drums", "cello, no drums"),
        ("no loud drums, flute", "no drums, flute"),
        ("without any electronic drums, flute", "no drums, flute"),
        ("piano without drums and bass", "piano without drums and bass"),
        ("Klavier, weder Schlagzeug noch Bass", "piano, no drums no bass"),
        ("флейта без ударных и баса", "flute no drums no bass"),
        ("flute without drums and with piano", "flute without drums and with piano"),
    ],
)
def test_absences(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("vocal-free jazz", ["To leave out “vocal”, use the negative prompt."]),
        ("bass-less funk", ["To leave out “bass”, use the negative prompt."]),
        ("non-vocal house", ["To leave out “vocal”, use the negative prompt."]),
        ("sin guitarra y piano", ["To leave out “guitarra” and “piano”, use the negative prompt."]),
        ("no more sad songs", ["To leave out “sad”, use the negative prompt."]),
        ("royalty-free piano", ["The model doesn't know “royalty” and “free”; it goes by “piano”."]),
        ("stress-free piano", ["The model doesn't know “stress” and “free”; it goes by “piano”."]),
        ("lyric-free piano", []),
        ("forty bpm", ["The model plays at 60 to 180 bpm, not at 40."]),
        ("techno at 250", ["The model plays at 60 to 180 bpm, not at 250."]),
        ("blue piano", ["The model doesn't know “blue”; it goes by “piano”."]),
        ("take five piano", ["The model doesn't know “take” and “five”; it goes by “piano”."]),
        ("90s house", ["The model doesn't know “90s”; it goes by “house”."]),
        ("80s synthwave", []),
        ("Ebm7 piano", ["The model doesn't know “ebm7”; it goes by “piano”."]),
        ("piano arpeggios", ["The model can't play “arpeggios”; the nearest that it can is synth."]),
        ("drumz", ["The model reads “drumz” as “drums”."]),
    ],
)
def test_what_is_said_of_them(words: KnownWords, prompt: str, expected: list[str]) -> None:
    assert words.warnings(prompt) == expected


@pytest.mark.parametrize(
    "prompt", ["in G " * 400, "ninety " * 285, "one hundred and bpm " * 100, "a-free" * 333, "@128 " * 400]
)
def test_long_prompts_are_read_in_time(words: KnownWords, prompt: str) -> None:
    assert len(words.canonical(prompt)) < 8000
