from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from riffusion.generate.modes import extend
from riffusion.generate.painter import Painter
from riffusion.geometry import SpectrogramParams
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


def clicks(width: int, beat: int) -> Canvas:
    """A picture that is struck at its start and on every beat, of so many columns."""
    pixels = np.full((1, 512, width), 255, dtype=np.uint8)
    pixels[:, :, ::beat] = 0
    return Canvas(pixels, SpectrogramParams())


@pytest.mark.parametrize(("columns", "seconds"), [(100, 4.12), (100, 4.13), (511, 2.56)])
def test_a_longer_clip_costs_its_windows(painter: Painter, init: Canvas, columns: int, seconds: float) -> None:
    control = Counter()
    request = asked("extend", init=UPLOAD, seconds=seconds, **COMMON | {"steps": 20})
    made(painter, request, {"init": Canvas(np.resize(init.pixels, (1, 512, columns)), init.params)}, control)
    assert charged_for_steps(request, {"init": InputSize(columns)}) == pytest.approx(control.total)


@pytest.mark.parametrize("beat", [48])
def test_a_tempo_changes_the_cost_by_a_quarter_at_most(painter: Painter, beat: int) -> None:
    control = Counter()
    request = asked("extend", init=UPLOAD, seconds=7.68, **COMMON | {"steps": 20})
    made(painter, request, {"init": clicks(512, beat)}, control)
    assert charged_for_steps(request, {"init": InputSize(512)}) / control.total == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("width", [512, 700, 1111])
@pytest.mark.parametrize("beat", [47, 64, 100])
def test_windows_begin_on_beats(monkeypatch: pytest.MonkeyPatch, painter: Painter, width: int, beat: int) -> None:
    windows: list[Canvas] = []

    def repeated(
        _painter: Any, _request: Any, window: Canvas, *_: Any, placed: Callable[[Canvas], Canvas], **__: Any
    ) -> Canvas:
        windows.append(window)
        return placed(Canvas(clicks(512, beat).pixels, window.params))

    monkeypatch.setattr(extend, "repainted", repeated)
    made(painter, asked("extend", init=UPLOAD, seconds=9, **COMMON), {"init": clicks(width, beat)})
    assert len(windows) > 1
    for window in windows:
        struck = np.flatnonzero((window.pixels[0, :, :192] == 0).all(0))
        assert np.array_equal(struck, np.arange(0, 192, beat))


def test_what_is_new_starts_from_the_last_beats(monkeypatch: pytest.MonkeyPatch, painter: Painter) -> None:
    monkeypatch.setattr(extend, "repainted", lambda _painter, _request, window, *_, placed, **__: placed(window))
    longer = made(painter, asked("extend", init=UPLOAD, seconds=9, **COMMON), {"init": clicks(512, 80)})
    assert np.array_equal(longer.pixels, clicks(512 + 900, 80).pixels)
