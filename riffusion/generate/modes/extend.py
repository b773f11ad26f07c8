"""A picture made longer, window by window.

The model begins a picture on a beat, and goes on from there whatever the part says that is kept. So each window begins
on a beat of the picture: where its rhythm is as at its start. Windows that begin elsewhere each shift the beat.
"""

from collections.abc import Mapping
from math import ceil

import numpy as np

from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.generate.rhythm import repetition
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests.modes.extend import Extend
from riffusion.requests.sizes import CONTEXT_COLUMNS
from riffusion.spectrogram.canvas import Canvas, pad

_OFF = 64  # columns that a window's context may be off `CONTEXT_COLUMNS`: a beat of 47 BPM or more lies in its reach
_HEARD = 2 * CLIP_COLUMNS  # columns at the end that say how the rhythm goes on


def make(painter: Painter, request: Extend, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture made longer: each window begins with the end of what is there."""
    init = canvases["init"]
    width = init.width + round(init.params.column(request.seconds))
    begin, stride = _windows(init)
    progress = painter.progress(request, control, [1.0] * (1 + ceil(max(0, width - begin - CLIP_COLUMNS) / stride)))
    longer = init
    while longer.width < width:
        window = _continued(longer.cropped(begin, longer.width))
        context = longer.width - begin
        mask = np.broadcast_to(np.arange(CLIP_COLUMNS) >= context, (ROWS, CLIP_COLUMNS))
        offset = longer.width - init.width
        painted = repainted(painter, request, window, mask, progress, seed_offset=offset).pixels[:, :, context:]
        longer = Canvas(np.concatenate((longer.pixels, painted), axis=2), init.params, init.tempo)
        begin += stride
    return longer.cropped(0, width)


def _windows(init: Canvas) -> tuple[int, int]:
    """Where the first window begins, and how far from one to the next."""
    if init.width < CLIP_COLUMNS:
        context = min(CONTEXT_COLUMNS, init.width)
        return init.width - context, CLIP_COLUMNS - context
    start = init.width - CONTEXT_COLUMNS
    tail = init.cropped(max(0, init.width - _HEARD), init.width)
    half = CLIP_COLUMNS // 2
    return repetition(init.grey, start - _OFF, start + _OFF), repetition(tail.grey, half - _OFF, half + _OFF)


def _continued(tail: Canvas) -> Canvas:
    """A window that begins with the tail; what follows is painted over, and mirrors it so that no edge is seen."""
    pixels = np.stack([pad(channel, CLIP_COLUMNS) for channel in tail.pixels])
    return Canvas(pixels, tail.params)
