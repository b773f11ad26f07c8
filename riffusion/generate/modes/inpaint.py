"""A part of a picture painted again."""

from collections.abc import Mapping

import numpy as np

from riffusion.generate.checks import invalid
from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.geometry import ROWS
from riffusion.requests import MaskBox
from riffusion.requests.modes.inpaint import Inpaint
from riffusion.spectrogram.canvas import Canvas, Mask
from riffusion.spectrogram.pixels import SILENCE


def make(painter: Painter, request: Inpaint, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture, painted again where the mask says."""
    init = canvases["init"]
    area = _box(request.mask, init) if isinstance(request.mask, MaskBox) else _uploaded(canvases["mask"], init)
    progress = painter.progress(request, control, [request.denoising])
    return repainted(painter, request, init, area, progress, denoising=request.denoising)


def _box(box: MaskBox, init: Canvas) -> Mask:
    """The pixels of a box in seconds and hertz, those that it only touches included.

    Raises:
        InvalidRequest: it lies outside of the picture.
    """
    mask = np.ones((ROWS, init.width), dtype=bool)
    if box.seconds is not None:
        first, last = (init.params.column(seconds) for seconds in box.seconds)
        columns = np.arange(init.width)
        mask &= (columns + 1 > first) & (columns < last)
        if not mask.any():
            raise invalid("mask.seconds", f"the picture ends at {init.params.seconds(init.width):g} s")
    if box.hertz is not None:
        low, high = (init.params.row(hertz) for hertz in box.hertz)
        rows = np.arange(ROWS)[:, None]
        mask = mask & (rows + 1 > high) & (rows < low)
        if not mask.any():
            raise invalid("mask.hertz", f"the picture shows {init.params.min_hz} to {init.params.max_hz} Hz")
    return mask


def _uploaded(mask: Canvas, init: Canvas) -> Mask:
    """The white half of a mask picture, stretched over the picture.

    Raises:
        InvalidRequest: nothing in it is white.
    """
    columns = np.arange(init.width) * mask.width // init.width
    area: Mask = mask.grey[:, columns] > SILENCE // 2
    if not area.any():
        raise invalid("mask", "has no white pixels; white is what is painted again")
    return area
