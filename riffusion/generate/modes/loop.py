"""A picture closed to a loop."""

from collections.abc import Mapping

import numpy as np

from riffusion.generate.checks import invalid
from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests.modes.loop import Loop
from riffusion.spectrogram.canvas import Canvas

SEAM_COLUMNS = 128  # that are painted again around a loop's join
_SHORTEST = 64
_TOLERANCE = 0.02  # of a bar that may be missing at the end of a picture


def make(painter: Painter, request: Loop, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture cut to whole bars and rolled into a circle, its join painted again."""
    init = canvases["init"]
    circle = init.cropped(0, _columns(request, init))
    half = min(SEAM_COLUMNS, circle.width // 2) // 2
    around = np.arange(-CLIP_COLUMNS // 2, CLIP_COLUMNS // 2)  # columns seen from the join, which lies in the middle
    window = Canvas(circle.pixels[:, :, around % circle.width], init.params)
    mask = np.broadcast_to((around >= -half) & (around < half), (ROWS, CLIP_COLUMNS))

    def closed(window: Canvas) -> Canvas:
        seam = np.arange(-half, half)
        pixels = circle.pixels.copy()
        pixels[:, :, seam % circle.width] = window.pixels[:, :, seam + CLIP_COLUMNS // 2]
        return Canvas(pixels, init.params, init.tempo)

    return repainted(painter, request, window, mask, painter.progress(request, control, [1.0]), placed=closed)


def _columns(request: Loop, init: Canvas) -> int:
    """Columns of the whole bars to keep; all of them where the tempo is unknown.

    Raises:
        InvalidRequest: it asks for more bars than there are, or for bars of an unknown length.
    """
    if init.width < _SHORTEST:
        raise invalid("init", f"has {init.width} columns; a loop needs {_SHORTEST}")
    bpm = request.bpm or (init.tempo.bpm if init.tempo else None)
    if bpm is None:
        if request.bars is not None:
            raise invalid("bpm", "is needed with bars: the picture doesn't say its tempo")
        return init.width
    beats = init.tempo.beats_per_bar if init.tempo else 4
    bar = init.params.column(beats * 60 / bpm)
    whole = int(init.width / bar + _TOLERANCE)
    if request.bars is not None and request.bars > whole:
        raise invalid("bars", f"the picture has {whole} whole bars at {bpm:g} BPM")
    if whole == 0:
        raise invalid("bpm", f"the picture is shorter than one bar at {bpm:g} BPM")
    return max(_SHORTEST, min(init.width, round((request.bars or whole) * bar)))
