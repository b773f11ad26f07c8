"""A picture made longer, window by window."""

from collections.abc import Mapping

import numpy as np

from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests.modes.extend import Extend
from riffusion.requests.sizes import CONTEXT_COLUMNS
from riffusion.spectrogram.canvas import Canvas, pad


def make(painter: Painter, request: Extend, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture made longer: each window begins with the end of what is there."""
    init = canvases["init"]
    width = init.width + round(init.params.column(request.seconds))
    context = min(CONTEXT_COLUMNS, init.width)
    new = CLIP_COLUMNS - context
    progress = painter.progress(request, control, [1.0] * -(-(width - init.width) // new))
    longer = init
    for offset in range(0, width - init.width, new):
        tail = longer.cropped(longer.width - context, longer.width)
        mask = np.broadcast_to(np.arange(CLIP_COLUMNS) >= context, (ROWS, CLIP_COLUMNS))
        window = repainted(painter, request, _continued(tail), mask, progress, seed_offset=offset)
        painted = window.pixels[:, :, context:]
        longer = Canvas(np.concatenate((longer.pixels, painted), axis=2), init.params, init.tempo)
    return longer.cropped(0, width)


def _continued(tail: Canvas) -> Canvas:
    """A window that begins with the tail; what follows is painted over, and mirrors it so that no edge is seen."""
    pixels = np.stack([pad(channel, CLIP_COLUMNS) for channel in tail.pixels])
    return Canvas(pixels, tail.params)
