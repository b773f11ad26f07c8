import numpy as np
import pytest

from riffusion.generate.painter import Painter
from riffusion.requests import InputSize
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import COMMON, UPLOAD, Counter, asked, charged_for_steps, made


@pytest.mark.parametrize("name", ["init", "stereo"])
@pytest.mark.parametrize("seconds", [0.3, 6.0])
def test_extending_keeps_what_was_there(
    painter: Painter, name: str, seconds: float, request: pytest.FixtureRequest
) -> None:
    init: Canvas = request.getfixturevalue(name)
    longer = made(painter, asked("extend", init=UPLOAD, seconds=seconds, **COMMON), {"init": init})
    assert longer.width == init.width + round(100 * seconds)
    assert np.array_equal(longer.pixels[:, :, : init.width], init.pixels)
    assert longer.params == init.params


def test_extensions_do_not_repeat_themselves(painter: Painter, init: Canvas) -> None:
    longer = made(painter, asked("extend", init=UPLOAD, seconds=7.0, **COMMON), {"init": init})
    first, second = longer.pixels[:, :, 210:510], longer.pixels[:, :, 512:812]
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("columns", "seconds"), [(100, 4.12), (100, 4.13), (512, 2.56), (900, 5.5)])
def test_a_longer_clip_costs_its_windows(painter: Painter, init: Canvas, columns: int, seconds: float) -> None:
    control = Counter()
    request = asked("extend", init=UPLOAD, seconds=seconds, **COMMON | {"steps": 4})
    made(painter, request, {"init": Canvas(np.resize(init.pixels, (1, 512, columns)), init.params)}, control)
    assert charged_for_steps(request, {"init": InputSize(columns)}) == pytest.approx(control.total)
