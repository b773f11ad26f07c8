from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from riffusion.generate.painter import Painter
from riffusion.spectrogram.canvas import Canvas, Tempo
from tests.generate.asked import UPLOAD, asked, made, near, riffed

START = {"prompt": "funk", "seed": 5}
END = {"prompt": "jazz (sax:1.3)", "seed": 6, "guidance": 2.0, "denoising": 0.5}


@pytest.fixture
def other(init: Canvas) -> Canvas:
    """Another picture, wider and of another scale and tempo."""
    pixels = np.random.default_rng(2).integers(0, 256, (1, 512, 250), dtype=np.uint8)
    return Canvas(pixels, replace(init.params, max_hz=8000), Tempo(90.0))


def crossfaded(painter: Painter, start: Canvas, end: Canvas, **fields: Any) -> Canvas:
    request = asked("crossfade", start={**START, "init": UPLOAD}, end={**END, "init": UPLOAD}, **fields)
    return made(painter, request, {"start.init": start, "end.init": end})


@pytest.mark.parametrize("scheduler", ["dpm++2m", "euler-a"])
def test_a_crossfade_ends_at_the_riffs_of_its_ends(
    painter: Painter, init: Canvas, other: Canvas, scheduler: str
) -> None:
    common = {"steps": 4, "scheduler": scheduler, "lora": {"dub": 0.5}}
    run = crossfaded(painter, init, other, clips=3, **common)
    first, middle, last = (run.cropped(init.width * i, init.width * (i + 1)) for i in range(3))
    assert near(first, riffed(painter, init, **common))
    assert near(last, riffed(painter, other.cropped(0, init.width), **common | END))
    assert near(middle, crossfaded(painter, init, other, alpha=0.5, **common))
    assert not near(middle, first)
    assert not near(middle, last)


def test_it_is_as_wide_as_the_narrower_with_the_scale_and_tempo_of_the_start(
    painter: Painter, init: Canvas, other: Canvas
) -> None:
    for start, end in ((init, other), (other, init)):
        made = crossfaded(painter, start, end, alpha=0.5, steps=2)
        assert (made.width, made.params, made.tempo) == (init.width, start.params, start.tempo)
        assert crossfaded(painter, start, end, clips=4, steps=2).width == 4 * init.width


def test_each_picture_is_encoded_once(
    painter: Painter, init: Canvas, other: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = Mock(side_effect=painter._autoencoder.encode)
    monkeypatch.setattr(painter._autoencoder, "encode", encode)
    crossfaded(painter, init, other, clips=5, steps=2)
    assert encode.call_count == 2


def test_what_the_middle_starts_from_is_as_strong_as_its_ends(
    painter: Painter, init: Canvas, other: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms: list[float] = []
    submit = painter._engine.submit

    def spy(denoise_request: Any, **options: Any) -> Any:
        norms.append(float(denoise_request.init_latents.norm()))
        return submit(denoise_request, **options)

    monkeypatch.setattr(painter._engine, "submit", spy)
    crossfaded(painter, init, other, clips=3, steps=2)
    assert norms[1] > 0.95 * min(norms[0], norms[2])
