from typing import Any

import pytest

from riffusion.generate.painter import Painter
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import near, riffed


@pytest.mark.parametrize(
    "change", [{"seed": 9}, {"prompt": "x"}, {"negative_prompt": "x"}, {"guidance": 1.0}, {"lora": {"dub": 0.7}}]
)
def test_everything_in_a_request_counts(painter: Painter, init: Canvas, change: dict[str, Any]) -> None:
    assert not near(riffed(painter, init), riffed(painter, init, **change))


def test_a_riff_is_as_wide_as_its_picture_and_keeps_its_scale(painter: Painter, init: Canvas) -> None:
    made = riffed(painter, init)
    assert made.width == init.width
    assert made.tempo == init.tempo
    assert near(made, riffed(painter, init))


def test_a_stereo_picture_is_painted_in_mono(painter: Painter, stereo: Canvas) -> None:
    made = riffed(painter, stereo)
    assert len(made.pixels) == 1
    assert not made.params.stereo
