import pytest

from riffusion.generate.painter import Painter
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import UPLOAD, asked, made, near, riffed

END = {"prompt": "jazz (sax:1.3)", "seed": 6, "guidance": 2.0, "denoising": 0.5}


@pytest.mark.parametrize("scheduler", ["dpm++2m", "euler-a", "lcm", "tcd"])
def test_an_interpolation_ends_at_the_riffs_of_its_ends(painter: Painter, init: Canvas, scheduler: str) -> None:
    common = {"steps": 4, "scheduler": scheduler, "lora": {"dub": 0.5}}
    start = {"prompt": "funk", "seed": 5}
    request = asked("interpolate", start=start, end=END, clips=3, init=UPLOAD, **common)
    run = made(painter, request, {"init": init})
    assert run.width == 3 * init.width
    first, middle, last = (run.cropped(init.width * i, init.width * (i + 1)) for i in range(3))
    assert near(first, riffed(painter, init, **common))
    assert near(last, riffed(painter, init, **common | END))
    half = request.model_copy(update={"clips": None, "alpha": 0.5})
    assert near(middle, made(painter, half, {"init": init}))


def test_ends_of_different_length_meet(painter: Painter) -> None:
    ends = {"start": {"prompt": "a", "seed": 1}, "end": {"prompt": "b " * 300, "seed": 2}}
    assert made(painter, asked("interpolate", alpha=0.5, steps=2, **ends)).width == 512
