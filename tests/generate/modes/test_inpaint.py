from typing import Any

import numpy as np
import pytest

from riffusion.errors import InvalidRequest
from riffusion.generate import NoControl, repaint
from riffusion.generate.canvas import Canvas
from riffusion.generate.painter import Painter
from riffusion.requests import Extend, Inpaint, Loop, parse, with_guidance
from riffusion.spectrogram.params import SpectrogramParams

COMMON = {"steps": 2, "seed": 5, "prompt": "funk", "init": {"upload": "u" * 20}}


def asked(model: type[Any], **fields: Any) -> Any:
    request = parse({"mode": model.model_fields["mode"].default, **COMMON, **fields})
    assert isinstance(request, model)
    return with_guidance(request, 7.0)


def inpainted(painter: Painter, init: Canvas, mask: Any, picture: Canvas | None = None) -> Canvas:
    return repaint.inpaint(painter, asked(Inpaint, mask=mask), init, picture, NoControl())


@pytest.mark.parametrize("name", ["init", "stereo"])
def test_inpainting_keeps_every_other_pixel(painter: Painter, name: str, request: pytest.FixtureRequest) -> None:
    init: Canvas = request.getfixturevalue(name)
    made = inpainted(painter, init, {"seconds": [0.5, 1.0], "hertz": [0, 800]})
    changed = (made.pixels != init.pixels).any(0)
    columns, rows = np.flatnonzero(changed.any(0)), np.flatnonzero(changed.any(1))
    assert columns.min() == 50
    assert columns.max() == 99
    top = 512 * (1 - np.log1p(800 / 700) / np.log1p(10_000 / 700))  # the mel scale is a logarithm
    assert rows.min() == int(top)
    assert rows.max() == 511
    assert changed[int(top) :, 50:100].mean() > 0.9
    assert made.params == init.params


def test_white_of_an_uploaded_mask_is_painted(painter: Painter, init: Canvas) -> None:
    levels = np.zeros((1, 512, 420), np.uint8)
    levels[:, 100:200, 300:] = 255
    made = inpainted(painter, init, {"upload": "u" * 20}, Canvas(levels, SpectrogramParams()))
    changed = (made.pixels != init.pixels)[0]
    assert not changed[:100].any()
    assert not changed[:, :150].any()
    assert changed[100:200, 150:].mean() > 0.9


@pytest.mark.parametrize(
    ("mask", "field"),
    [
        ({"seconds": [9, 10]}, "mask.seconds"),
        ({"hertz": [11_000, 12_000]}, "mask.hertz"),
        ({"upload": "u" * 20}, "mask"),
    ],
)
def test_a_mask_of_nothing_is_refused(painter: Painter, init: Canvas, mask: Any, field: str) -> None:
    black = Canvas(np.zeros((1, 512, 512), np.uint8), SpectrogramParams())
    with pytest.raises(InvalidRequest) as caught:
        inpainted(painter, init, mask, black)
    assert caught.value.fields[0]["field"] == field


@pytest.mark.parametrize("name", ["init", "stereo"])
@pytest.mark.parametrize("seconds", [0.3, 6.0])
def test_extending_keeps_what_was_there(
    painter: Painter, name: str, seconds: float, request: pytest.FixtureRequest
) -> None:
    init: Canvas = request.getfixturevalue(name)
    longer = repaint.extend(painter, asked(Extend, seconds=seconds), init, NoControl())
    assert longer.width == init.width + round(100 * seconds)
    assert np.array_equal(longer.pixels[:, :, : init.width], init.pixels)
    assert longer.params == init.params


def test_extensions_do_not_repeat_themselves(painter: Painter, init: Canvas) -> None:
    longer = repaint.extend(painter, asked(Extend, seconds=7.0), init, NoControl())
    first, second = longer.pixels[:, :, 210:510], longer.pixels[:, :, 512:812]
    assert not np.array_equal(first, second)


def test_a_loop_is_whole_bars_with_a_new_join(painter: Painter, init: Canvas) -> None:
    made = repaint.loop(painter, asked(Loop), init, NoControl())
    assert made.width == 200
    changed = (made.pixels != init.pixels[:, :, :200])[0].any(0)
    assert np.array_equal(np.flatnonzero(changed), np.r_[0:50, 150:200])
    assert made.tempo == init.tempo


@pytest.mark.parametrize(
    ("fields", "columns"), [({"bpm": 240.0}, 200), ({"bpm": 240.0, "bars": 1}, 100), ({"bpm": 114.5}, 210), ({}, 210)]
)
def test_bars_of_a_given_tempo(painter: Painter, init: Canvas, fields: dict[str, Any], columns: int) -> None:
    unknown = Canvas(init.pixels, init.params)
    assert repaint.loop(painter, asked(Loop, **fields), unknown, NoControl()).width == columns


@pytest.mark.parametrize(
    ("fields", "field"), [({"bars": 1}, "bpm"), ({"bpm": 120, "bars": 2}, "bars"), ({"bpm": 40}, "bpm")]
)
def test_bars_that_are_not_there(painter: Painter, init: Canvas, fields: dict[str, Any], field: str) -> None:
    unknown = Canvas(init.pixels, init.params)
    with pytest.raises(InvalidRequest) as caught:
        repaint.loop(painter, asked(Loop, **fields), unknown, NoControl())
    assert caught.value.fields[0]["field"] == field
