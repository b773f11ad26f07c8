"""What a model makes of prompts, and what it says of those that it can't follow."""

import json
from pathlib import Path
from random import Random

import pytest

import riffusion
from riffusion.generate.vocabulary import KnownWords
from riffusion.requests import MAX_PROMPT_CHARS
from riffusion.training.data.captions import vocabulary, write_caption
from riffusion.training.data.composer import compose
from riffusion.training.data.lexicon import model_vocabulary
from riffusion.training.data.rewordings import WAYS, reword


@pytest.fixture(scope="module")
def words() -> KnownWords:
    """Those of a model that was taught the lexicon."""
    return KnownWords(json.loads(json.dumps(model_vocabulary())))


@pytest.fixture(scope="module")
def topics_alone() -> KnownWords:
    """Those of a model with a list of captions' phrases only."""
    return KnownWords(vocabulary())


@pytest.mark.parametrize(
    "prompt",
    [
        "funk bassline with a jazzy saxophone solo", "slow sad piano", "church bells", "(Fiddles:1.3)!", "some hip-hop",
        "96 bpm", "at 120.5bpm", "60 beats per minute", "",  "  ", "PIANO", "pianos",
    ],
)  # fmt: skip
def test_what_captions_say_is_known(words: KnownWords, topics_alone: KnownWords, prompt: str) -> None:
    assert words.warnings(prompt) == topics_alone.warnings(prompt) == []


@pytest.mark.parametrize(
    "prompt",
    [
        "lofi hip hop beat to study to", "80s synthwave", "bagpipes", "a cello playing Bach", "reggaeton 95 bpm",
        "traurige Klaviermusik, langsam", "guitarra flamenca", "piano triste", "violon triste", "chitarra lenta",
        "violão alegre", "грустное пианино, медленно", "Klavier in a-Moll", "la menor piano", "guitare électrique",
        "guitare electrique", "no drums, just a flute", "no drums, no bass, just a flute", "piano without drums",
        "Gitarre ohne Schlagzeug", "a waltz in 3/4 at 128 bpm", "🎹", "🎷 solo", "🎹🎸🥁", "chill beats to relax to",
        "epic orchestral trailer music", "fiddle", "drum'n'bass", "happy birthday music ✨",
    ],
)  # fmt: skip
def test_what_strangers_say_is_known(words: KnownWords, prompt: str) -> None:
    assert words.warnings(prompt) == []


@pytest.mark.parametrize(
    ("prompt", "warning"),
    [
        ("whale song", "The model plays music only, not “whale song”."),
        ("silence", "The model plays music only, not “silence”."),
        ("piano and rain or thunder", "The model plays music only, not “rain” or “thunder”."),
        ("harmonica blues", "The model can't play “harmonica”; the nearest that it can is accordion."),
        ("a rapper", "The model can't play “rapper”; the nearest that it can is choir."),
        ("Female\nvocals", "The model can't play “female vocals”; the nearest that it can is choir."),
        ("ukulele k-pop",
         "The model can't play “ukulele” or “k-pop”; the nearest that it can are acoustic guitar and pop."),
        ("harmonika blues", "The model can't play “harmonica”; the nearest that it can is accordion."),
        ("drums in 7/8", "The model plays in 4/4 and 3/4, not in 7/8."),
        ("techno 300 bpm", "The model plays at 60 to 180 bpm, not at 300."),
        ("59 bpm", "The model plays at 60 to 180 bpm, not at 59."),
        ("jaz saxaphone solo", "The model reads “jaz” and “saxaphone” as “jazz” and “saxophone”."),
        ("pianno", "The model reads “pianno” as “piano”."),
        ("gitar", "The model reads “gitar” as “guitar”."),
        ("flut", "The model reads “flut” as “flute”."),
        ("zorb piano", "The model doesn't know “zorb”; it goes by “piano”."),
        ("zorb 96 bpm", "The model doesn't know “zorb”."),
        ("zorb, blarg, quux, frob and plugh for flute",
         "The model doesn't know “zorb”, “blarg”, “quux” and 2 more; it goes by “flute”."),
        ("guitar without piano", "To leave out “piano”, use the negative prompt."),
        ("techno without bass", "To leave out “bass”, use the negative prompt."),
        ("jazz, don't use piano", "To leave out “piano”, use the negative prompt."),
        ("only drums, no guitar or piano", "To leave out “guitar” and “piano”, use the negative prompt."),
        ("piano, not too fast", "To leave out “fast”, use the negative prompt."),
        ("piano by Chris Brown", "The model doesn't know “chris” and “brown”; it goes by “piano”."),
        ("tempo = 300 for piano", "The model plays at 60 to 180 bpm, not at 300."),
        ("kick and snare", "The model can't play “kick” or “snare”; the nearest that it can is drums."),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_said_with_the_nearest(words: KnownWords, prompt: str, warning: str) -> None:
    assert warning in words.warnings(prompt)


@pytest.mark.parametrize(
    "word", ["star", "melodic", "harmonic", "still", "strong", "table", "beach", "truck", "mario", "boss", "counter"]
)
def test_an_ordinary_word_is_no_spelling_mistake(words: KnownWords, word: str) -> None:
    assert words.warnings(f"piano {word}") == [f"The model doesn't know “{word}”; it goes by “piano”."]
    assert words.canonical(word) == word


@pytest.mark.parametrize("prompt", ["3/4", "C#m", "piano in 4/4", "no drums or bass, flute"])
def test_symbols_are_known(words: KnownWords, prompt: str) -> None:
    assert words.warnings(prompt) == []


def test_each_shortcoming_is_a_sentence_of_its_own(words: KnownWords) -> None:
    assert len(words.warnings("zorb jaz ukulele in the rain, no piano, 5/4, 10 bpm")) == 7


@pytest.mark.parametrize("prompt", ["guitar, no harmonica", "techno without lyrics", "piano, no zorb"])
def test_what_it_cannot_play_needs_no_leaving_out(words: KnownWords, prompt: str) -> None:
    assert words.warnings(prompt) == []


@pytest.mark.parametrize("prompt", ["xyzzy plugh", "with the and of", "1234", "太鼓", "x", "ジャズピアノ", "🦑"])
def test_a_prompt_without_a_known_word_has_examples(words: KnownWords, topics_alone: KnownWords, prompt: str) -> None:
    for known in (words, topics_alone):
        [warning] = known.warnings(prompt)
        assert prompt in warning
        assert "(instrument)" in warning


@pytest.mark.parametrize(
    ("prompt", "canonical"),
    [
        ("traurige Klaviermusik, langsam", "sad piano, slow"),
        ("piano triste", "piano sad"),
        ("musique classique au violon", "classical au violin"),
        ("guitarra flamenca", "acoustic guitar flamenca"),
        ("грустное пианино, 90 ударов в минуту", "sad piano, 90 beats per minute"),
        ("Klavierakkorde in a-Moll", "piano chords in A minor"),
        ("cornemuse", "bagpipe"),
        ("jaz saxaphone solo", "jazz saxophone solo"),
        ("gitar", "guitar"),
        ("violín", "violin"),
        ("violi\u0301n", "violin"),
        ("ｐｉａｎｏ", "piano"),
        ("harmonika", "accordion"),
        ("Ukulele, K-POP", "acoustic guitar, pop"),
        ("a cello playing Bach", "a cello classical"),
        ("lofi hip hop beat to study to", "lofi hip hop lo-fi"),
        ("ABC (Gitar:1.3) & [Klavier], 12", "ABC (guitar:1.3) & [piano], 12"),
        ("(death) metal (death metal)", "(death) metal (metal)"),
        ("🎹🎸 solo🎷jaz", "piano electric guitar solo saxophone jazz"),
        ("kein Schlagzeug, nur Flöte", "no drums, nur flute"),
        ("piano w/o drums", "piano no drums"),
        ("don’t use any drums, jazz guitar", "no drums, jazz guitar"),
        ("🚫🥁 🎹", "no drums piano"),
        ("Klavier in C#-Moll", "piano in C# minor"),
        ("piano do# menor", "piano C# minor"),
        ("mi♭ majeur, piano", "Eb major, piano"),
        ("piano in F#m, Bbm or Cmaj", "piano in F# minor, Bb minor or C major"),
        ("piano Am", "piano A minor"),
        ("BPM: 120, house", "120 bpm, house"),
        ("Gitarrenriff, Technobeat", "acoustic guitar riff, techno beat"),
        ("pia\u200bno gui\u00adtarre", "piano acoustic guitar"),
        ("slooow pianooo", "slow piano"),
        ("flutte", "flute"),
        ("Klavier in Dis-Moll", "piano in Eb minor"),
        ("Des-Dur", "C# major"),
        ("sol# mineur", "Ab minor"),
        ("ut mineur", "C minor"),
        ("re bemol mayor", "C# major"),
        ("соль-диез минор", "Ab minor"),
        ("Am, F, C, G chord progression", "A minor, F, C, G chord progression"),
        ("Am Em F G", "A minor E minor F G"),
        ("Am I sad", "Am I sad"),
        ("Am, sad piano", "A minor, sad piano"),
        ("Am Abend Klavier", "Am Abend piano"),
    ],
)
def test_words_are_replaced_by_the_captions_own(words: KnownWords, prompt: str, canonical: str) -> None:
    assert words.canonical(prompt) == canonical
    assert words.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "prompt",
    [
        "sad piano", "SAD  Piano!", "80s synthwave", "pianos", "hip, hop", "folk music", "drum & bass", "lo fi",
        "no drums, just a flute", "guitar without piano", "techno, no harmonica", "whale song", "Zorb ½ ﬁ",
        "I am a piano", "guitar without any drums or bass", "120 bpm 4/4 house", "commit",
        "(zorb:1.3) [", "xyzzy", "太鼓", "", " ", "in the key of f# minor", "96 beats per minute",
    ],
)  # fmt: skip
def test_what_the_captions_say_and_what_is_not_known_stays_as_typed(words: KnownWords, prompt: str) -> None:
    assert words.canonical(prompt) == prompt


def test_captions_stay_as_they_are(words: KnownWords) -> None:
    for number in range(500):
        caption, _ = write_caption(compose(Random(number)), Random(number))
        assert words.canonical(caption) == caption
        assert words.warnings(caption) == []


@pytest.mark.parametrize("way", WAYS)
def test_replacing_once_is_enough(words: KnownWords, way: str) -> None:
    for number in range(40):
        caption, stated = write_caption(compose(Random(number)), Random(number))
        once = words.canonical(reword(way, caption, stated, Random(number))[1])
        assert words.canonical(once) == once
    assert words.canonical("big banda") == "jazz"  # by way of "big band"


def test_a_list_of_topics_alone_is_enough(topics_alone: KnownWords) -> None:
    assert topics_alone.warnings("whale song") == ["The model doesn't know “whale”; it goes by “song”."]
    assert topics_alone.warnings("pianno solo") == ["The model reads “pianno” as “piano”."]
    assert topics_alone.warnings("piano without drums") == ["To leave out “drums”, use the negative prompt."]


def test_the_bundled_list_is_understood() -> None:
    folder = Path(riffusion.__file__).parent / "models" / "tiny"
    bundled = KnownWords(json.loads((folder / "vocabulary.json").read_text()))
    assert bundled.warnings("slow sad piano") == []
    assert bundled.warnings("slow sad zorb")


@pytest.mark.parametrize(
    "prompt",
    [
        "xyzzy " * 334, "piano " + " ".join(f"zorb{chr(97 + n % 26)}{chr(97 + n // 26)}x" for n in range(250)),
        "a" * 2000,
        "piano " + "zorb" * 498, "no " * 666, "1." * 1000, "1" + " " * 1999, "300 bpm " * 250, "7/8 " * 500,
        "\ufdfa" * 2000,
        "a" + "\u0301" * 1999, "🎹" * 2000, "ukulele tuba rain jaz zorb " * 74, "female" + "\n" * 1900 + "vocals",
    ],
)  # fmt: skip
def test_long_prompts_have_short_warnings(words: KnownWords, prompt: str) -> None:
    assert len(words.canonical(prompt[:MAX_PROMPT_CHARS])) < 8 * MAX_PROMPT_CHARS
    for warning in words.warnings(prompt[:MAX_PROMPT_CHARS]):
        assert len(warning) < 300
        assert "\n" not in warning
