import numpy as np
import pytest

from riffusion.errors import InvalidRequest
from riffusion.generate.checks import check_width
from riffusion.geometry import MAX_WIDTH
from riffusion.spectrogram.canvas import Canvas


def test_too_wide_to_paint() -> None:
    check_width(Canvas.blank(np.zeros((512, MAX_WIDTH), np.uint8)), "init")
    with pytest.raises(InvalidRequest, match="2049 columns") as caught:
        check_width(Canvas.blank(np.zeros((512, MAX_WIDTH + 1), np.uint8)), "init")
    assert caught.value.fields[0]["field"] == "init"
