"""Which prompts hold a word that a model was trained on."""

import pytest

from riffusion.generate.vocabulary import KnownWords
from riffusion.training.data.captions import vocabulary


@pytest.fixture(scope="module")
def words() -> KnownWords:
    """The bundled model's."""
    return KnownWords(vocabulary())


@pytest.mark.parametrize(
    "prompt",
    [
        "funk bassline with a jazzy saxophone solo", "slow sad piano", "church bells", "(Fiddles:1.3)!", "some hip-hop",
        "96 bpm", "at 120.5bpm", "60 beats per minute", "xyzzy drum", "",  "  ",
    ],
)  # fmt: skip
def test_a_word_or_a_tempo_is_enough(words: KnownWords, prompt: str) -> None:
    assert words.warning(prompt) is None


@pytest.mark.parametrize("prompt", ["xyzzy plugh", "with the and of", "300 bpm", "59 bpm", "1234", "太鼓", "x"])
def test_a_prompt_of_unknown_words_alone_has_a_warning(words: KnownWords, prompt: str) -> None:
    warning = words.warning(prompt)
    assert warning is not None
    assert prompt in warning
    assert "(instrument)" in warning


def test_a_long_prompt_is_cut(words: KnownWords) -> None:
    assert len(words.warning("xyzzy " * 300) or "") < 300
