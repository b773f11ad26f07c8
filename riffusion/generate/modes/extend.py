"""A picture made longer, window by window."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests.modes.extend import Extend
from riffusion.requests.sizes import CONTEXT_COLUMNS
from riffusion.spectrogram.canvas import Canvas, pad
from riffusion.spectrogram.pixels import SILENCE


def make(painter: Painter, request: Extend, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture made longer: each window begins with the end of what is there."""
    init = canvases["init"]
    width = init.width + round(init.params.column(request.seconds))
    context = min(CONTEXT_COLUMNS, init.width)
    new = CLIP_COLUMNS - context
    progress = painter.progress(request, control, [1.0] * -(-(width - init.width) // new))
    silence = ((0, 0), (0, 0), (0, width - init.width))
    longer = replace(init, pixels=np.pad(init.pixels, silence, constant_values=SILENCE))
    for end in range(init.width, width, new):
        window = _continued(longer.cropped(end - context, end))
        mask = np.broadcast_to(np.arange(CLIP_COLUMNS) >= context, (ROWS, CLIP_COLUMNS))
        placed = partial(_with, longer, end, context)
        longer = repainted(painter, request, window, mask, progress, seed_offset=end - init.width, placed=placed)
    return longer


def _with(longer: Canvas, end: int, context: int, window: Canvas) -> Canvas:
    """The picture with what a window adds at column `end`, up to its own width; the window begins with the context."""
    pixels = longer.pixels.copy()
    new = window.pixels[:, :, context:][:, :, : longer.width - end]
    pixels[:, :, end : end + new.shape[2]] = new
    return replace(longer, pixels=pixels)


def _continued(tail: Canvas) -> Canvas:
    """A window that begins with the tail; what follows is painted over, and mirrors it so that no edge is seen."""
    pixels = np.stack([pad(channel, CLIP_COLUMNS) for channel in tail.pixels])
    return Canvas(pixels, tail.params)
