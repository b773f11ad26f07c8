from typing import Any

import numpy as np
import pytest

from riffusion.errors import InvalidRequest
from riffusion.generate.painter import Painter
from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import COMMON, UPLOAD, asked, made


def inpainted(painter: Painter, init: Canvas, mask: Any, picture: Canvas | None = None, **sampler: Any) -> Canvas:
    canvases = {"init": init, **({"mask": picture} if picture else {})}
    return made(painter, asked("inpaint", init=UPLOAD, mask=mask, **COMMON | sampler), canvases)


@pytest.mark.parametrize(
    ("name", "sampler"),
    [("init", {}), ("stereo", {}), ("init", {"scheduler": "lcm", "steps": 1}), ("init", {"scheduler": "tcd"})],
)
def test_inpainting_keeps_every_other_pixel(
    painter: Painter, name: str, sampler: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    init: Canvas = request.getfixturevalue(name)
    canvas = inpainted(painter, init, {"seconds": [0.5, 1.0], "hertz": [0, 800]}, **sampler)
    changed = (canvas.pixels != init.pixels).any(0)
    columns, rows = np.flatnonzero(changed.any(0)), np.flatnonzero(changed.any(1))
    assert columns.min() == 50
    assert columns.max() == 99
    top = 512 * (1 - np.log1p(800 / 700) / np.log1p(10_000 / 700))  # the mel scale is a logarithm
    assert rows.min() == int(top)
    assert rows.max() == 511
    assert changed[int(top) :, 50:100].mean() > 0.9
    assert canvas.params == init.params


def test_white_of_an_uploaded_mask_is_painted(painter: Painter, init: Canvas) -> None:
    levels = np.zeros((1, 512, 420), np.uint8)
    levels[:, 100:200, 300:] = 255
    canvas = inpainted(painter, init, {"upload": "u" * 20}, Canvas(levels, SpectrogramParams()))
    changed = (canvas.pixels != init.pixels)[0]
    assert not changed[:100].any()
    assert not changed[:, :150].any()
    assert changed[100:200, 150:].mean() > 0.9


def test_grey_mixes_old_and_new(painter: Painter, init: Canvas) -> None:
    change = []
    for level in (5, 64, 160, 255):
        levels = np.zeros((1, 512, 512), np.uint8)
        levels[:, 256:] = level
        levels[:, 255] = 255  # something to paint
        canvas = inpainted(painter, init, {"upload": "u" * 20}, Canvas(levels, SpectrogramParams()))
        assert (canvas.pixels[:, :255] == init.pixels[:, :255]).all()
        change.append(np.abs(canvas.pixels[:, 256:].astype(int) - init.pixels[:, 256:]).mean())
    assert change[0] == 0
    assert change[1:] == sorted(change[1:])


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
