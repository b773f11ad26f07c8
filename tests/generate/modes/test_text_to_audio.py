from riffusion.generate.painter import Painter
from tests.generate.asked import COMMON, asked, made


def test_a_picture_of_any_width(painter: Painter) -> None:
    narrow, wide = (made(painter, asked("text-to-audio", width=width, **COMMON)) for width in (128, 640))
    assert narrow.pixels.shape == (1, 512, 128)
    assert wide.pixels.shape == (1, 512, 640)
