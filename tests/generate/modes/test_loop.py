from typing import Any

import numpy as np
import pytest

from riffusion.errors import InvalidRequest
from riffusion.generate.painter import Painter
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import COMMON, UPLOAD, asked, made


def looped(painter: Painter, init: Canvas, **fields: Any) -> Canvas:
    return made(painter, asked("loop", init=UPLOAD, **COMMON | fields), {"init": init})


def test_a_loop_is_whole_bars_with_a_new_join(painter: Painter, init: Canvas) -> None:
    canvas = looped(painter, init)
    assert canvas.width == 200
    changed = (canvas.pixels != init.pixels[:, :, :200])[0].any(0)
    assert np.array_equal(np.flatnonzero(changed), np.r_[0:50, 150:200])
    assert canvas.tempo == init.tempo


@pytest.mark.parametrize(
    ("fields", "columns"), [({"bpm": 240.0}, 200), ({"bpm": 240.0, "bars": 1}, 100), ({"bpm": 114.5}, 210), ({}, 210)]
)
def test_bars_of_a_given_tempo(painter: Painter, init: Canvas, fields: dict[str, Any], columns: int) -> None:
    unknown = Canvas(init.pixels, init.params)
    assert looped(painter, unknown, **fields).width == columns


@pytest.mark.parametrize(
    ("fields", "field"), [({"bars": 1}, "bpm"), ({"bpm": 120, "bars": 2}, "bars"), ({"bpm": 40}, "bpm")]
)
def test_bars_that_are_not_there(painter: Painter, init: Canvas, fields: dict[str, Any], field: str) -> None:
    unknown = Canvas(init.pixels, init.params)
    with pytest.raises(InvalidRequest) as caught:
        looped(painter, unknown, **fields)
    assert caught.value.fields[0]["field"] == field
