"""Where a picture is painted: boxes, and pictures whose grey mixes old and new."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from riffusion.generate.checks import invalid
from riffusion.geometry import ROWS
from riffusion.requests import MaskBox, SeedImage, Upload
from riffusion.spectrogram.canvas import Canvas, Mask

_BLACK, _WHITE = 7, 248  # levels up to and from which a pixel counts as such, since JPEG and scaling leave some noise


def mask_of(given: MaskBox | Upload | SeedImage, init: Canvas, canvases: Mapping[str, Canvas]) -> Mask:
    """A request's field `mask`, over the picture that it belongs to.

    Args:
        canvases: by field, of which `mask` is the mask's picture if it has one.

    Raises:
        InvalidRequest: it covers nothing of the picture.
    """
    return _box(given, init) if isinstance(given, MaskBox) else _drawn(canvases["mask"], init)


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


def _drawn(mask: Canvas, init: Canvas) -> Mask:
    """A mask's picture, stretched over the picture: 1 where it is white, 0 where it is black.

    Raises:
        InvalidRequest: all of it is black.
    """
    columns = np.arange(init.width) * mask.width // init.width
    levels = mask.grey[:, columns].astype(np.float32)
    area: npt.NDArray[np.float32] = np.clip((levels - _BLACK) / (_WHITE - _BLACK), 0, 1, dtype=np.float32)
    if not area.any():
        raise invalid("mask", "is black all over; white is what is painted")
    return area
