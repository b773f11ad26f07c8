import numpy as np
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


def test_a_mask_keeps_what_is_black_of_the_initial_picture(painter: Painter, init: Canvas) -> None:
    ends = {"start": {"prompt": "a", "seed": 1}, "end": {"prompt": "b", "seed": 2}}
    request = asked("interpolate", clips=2, init=UPLOAD, mask={"seconds": [0, 1]}, steps=2, **ends)
    run = made(painter, request, {"init": init})
    for clip in (run.cropped(0, init.width), run.cropped(init.width, 2 * init.width)):
        assert (clip.pixels[:, :, 100:] == init.pixels[:, :, 100:]).all()
        assert (clip.pixels[:, :, :100] != init.pixels[:, :, :100]).mean() > 0.9


def test_a_white_mask_changes_nothing_and_grey_keeps_the_picture_nearer(painter: Painter, init: Canvas) -> None:
    ends = {"start": {"prompt": "a", "seed": 1}, "end": {"prompt": "b", "seed": 2}}

    def change(mask: dict[str, object], level: int = 255) -> Canvas:
        request = asked("interpolate", alpha=0.5, init=UPLOAD, steps=4, **ends, **mask)
        return made(painter, request, {"init": init, "mask": Canvas.blank(np.full((512, 512), level, np.uint8))})

    upload = {"mask": {"upload": "m" * 20}}
    assert near(change(upload), change({}))
    distances = [np.abs(change(upload, level).pixels.astype(int) - init.pixels).mean() for level in (64, 128, 255)]
    assert distances == sorted(distances)
