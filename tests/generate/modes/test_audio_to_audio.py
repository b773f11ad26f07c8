from typing import Any

import numpy as np
import pytest

from riffusion.generate import NoControl, repaint
from riffusion.generate.canvas import Canvas
from riffusion.generate.modes import audio_to_audio as paint
from riffusion.generate.painter import Painter
from riffusion.requests import (
    AudioToAudio,
    Extend,
    InputSize,
    Interpolate,
    Riff,
    TextToAudio,
    cost,
    parse,
    with_guidance,
)

COMMON = {"steps": 2, "seed": 5, "prompt": "funk"}
END = {"prompt": "jazz (sax:1.3)", "seed": 6, "guidance": 2.0, "denoising": 0.5}
UPLOAD = {"upload": "u" * 20}


def asked(model: type[Any], **fields: Any) -> Any:
    request = parse({"mode": model.model_fields["mode"].default, **fields})
    assert isinstance(request, model)
    return with_guidance(request, 7.0)


def near(a: Canvas, b: Canvas) -> bool:
    return int(np.abs(a.pixels.astype(int) - b.pixels.astype(int)).max()) <= 1


def riffed(painter: Painter, init: Canvas, **fields: Any) -> Canvas:
    return paint.riff(painter, asked(Riff, init=UPLOAD, **COMMON | fields), init, NoControl())


def test_text_to_audio_of_any_width(painter: Painter) -> None:
    narrow, wide = (
        paint.text_to_audio(painter, asked(TextToAudio, width=width, **COMMON), NoControl()) for width in (128, 640)
    )
    assert narrow.pixels.shape == (1, 512, 128)
    assert wide.pixels.shape == (1, 512, 640)


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


@pytest.mark.parametrize("scheduler", ["dpm++2m", "euler-a"])
def test_an_interpolation_ends_at_the_riffs_of_its_ends(painter: Painter, init: Canvas, scheduler: str) -> None:
    common = {"steps": 4, "scheduler": scheduler, "lora": {"dub": 0.5}}
    start = {"prompt": "funk", "seed": 5}
    request = asked(Interpolate, start=start, end=END, clips=3, init=UPLOAD, **common)
    run = paint.interpolate(painter, request, init, NoControl())
    assert run.width == 3 * init.width
    first, middle, last = (run.cropped(init.width * i, init.width * (i + 1)) for i in range(3))
    assert near(first, riffed(painter, init, **common))
    assert near(last, riffed(painter, init, **common | END))
    half = request.model_copy(update={"clips": None, "alpha": 0.5})
    assert near(middle, paint.interpolate(painter, half, init, NoControl()))


def test_ends_of_different_length_meet(painter: Painter) -> None:
    ends = {"start": {"prompt": "a", "seed": 1}, "end": {"prompt": "b " * 300, "seed": 2}}
    made = paint.interpolate(painter, asked(Interpolate, alpha=0.5, steps=2, **ends), None, NoControl())
    assert made.width == 512


@pytest.mark.parametrize("columns", [1, 100, 512, 513, 900, 1300])
def test_audio_to_audio_is_as_long_as_the_clip(painter: Painter, init: Canvas, columns: int) -> None:
    clip = Canvas(np.resize(init.pixels, (1, 512, columns)), init.params)
    made = paint.audio_to_audio(painter, asked(AudioToAudio, clip=UPLOAD, **COMMON), clip, NoControl())
    assert made.pixels.shape == (1, 512, columns)


@pytest.mark.parametrize("columns", [500, 512, 513, 900, 1300])
def test_a_long_clip_costs_its_windows(painter: Painter, init: Canvas, columns: int) -> None:
    control = Counter()
    request = asked(AudioToAudio, clip=UPLOAD, **COMMON | {"steps": 4, "denoising": 1.0})
    paint.audio_to_audio(painter, request, Canvas(np.resize(init.pixels, (1, 512, columns)), init.params), control)
    assert charged_for_steps(request, InputSize(columns)) == pytest.approx(control.total)


@pytest.mark.parametrize(("columns", "seconds"), [(100, 4.12), (100, 4.13), (512, 2.56), (900, 5.5)])
def test_a_longer_clip_costs_its_windows(painter: Painter, init: Canvas, columns: int, seconds: float) -> None:
    control = Counter()
    request = asked(Extend, init=UPLOAD, seconds=seconds, **COMMON | {"steps": 4})
    repaint.extend(painter, request, Canvas(np.resize(init.pixels, (1, 512, columns)), init.params), control)
    assert charged_for_steps(request, InputSize(columns)) == pytest.approx(control.total)


class Counter(NoControl):
    total = 0

    def progress(self, _step: int, total: int) -> None:
        self.total = total


def charged_for_steps(request: AudioToAudio | Extend, size: InputSize) -> float:
    """The part of the cost that twice the steps double."""
    return cost(request.model_copy(update={"steps": 2 * request.steps}), size) - cost(request, size)


def test_windows_fade_into_each_other() -> None:
    levels = [np.full((512, 512), level, np.uint8) for level in (0, 200, 100)]
    row = paint._blended(levels)[0].astype(int)
    assert len(row) == 3 * 384 + 128
    assert np.all(np.diff(row[384:512]) >= 0)
    assert set(row[:384]) == {0}
    assert set(row[512:768]) == {200}
    assert set(row[896:]) == {100}
