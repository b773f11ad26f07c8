import numpy as np
import pytest

from riffusion.generate.modes import audio_to_audio
from riffusion.generate.painter import Painter
from riffusion.requests import InputSize
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import COMMON, UPLOAD, Counter, asked, charged_for_steps, made


@pytest.mark.parametrize("columns", [1, 100, 512, 513, 900, 1300])
def test_audio_to_audio_is_as_long_as_the_clip(painter: Painter, init: Canvas, columns: int) -> None:
    clip = Canvas(np.resize(init.pixels, (1, 512, columns)), init.params)
    canvas = made(painter, asked("audio-to-audio", clip=UPLOAD, **COMMON), {"clip": clip})
    assert canvas.pixels.shape == (1, 512, columns)


@pytest.mark.parametrize("columns", [500, 512, 513, 900, 1300])
def test_a_long_clip_costs_its_windows(painter: Painter, init: Canvas, columns: int) -> None:
    control = Counter()
    request = asked("audio-to-audio", clip=UPLOAD, **COMMON | {"steps": 4, "denoising": 1.0})
    made(painter, request, {"clip": Canvas(np.resize(init.pixels, (1, 512, columns)), init.params)}, control)
    assert charged_for_steps(request, {"clip": InputSize(columns)}) == pytest.approx(control.total)


def test_windows_fade_into_each_other() -> None:
    levels = [np.full((512, 512), level, np.uint8) for level in (0, 200, 100)]
    row = audio_to_audio._blended(levels)[0].astype(int)
    assert len(row) == 3 * 384 + 128
    assert np.all(np.diff(row[384:512]) >= 0)
    assert set(row[:384]) == {0}
    assert set(row[512:768]) == {200}
    assert set(row[896:]) == {100}
