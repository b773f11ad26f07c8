"""A picture made longer, window by window.

The model begins every picture on a beat and chooses its key at noise levels at which it hardly sees what is kept. So
each window begins on a beat of the picture, where its rhythm is as at its start; and what is painted starts from the
last beats of what is there, not from noise alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np

from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.generate.rhythm import repetition
from riffusion.geometry import CLIP_COLUMNS, ROWS
from riffusion.requests.modes.extend import DENOISING, Extend
from riffusion.requests.sizes import CONTEXT_COLUMNS
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.pixels import SILENCE

_OFF = 64  # columns that a window's context may be off `CONTEXT_COLUMNS`: a beat of 47 BPM or more lies in its reach
_HEARD = 2 * CLIP_COLUMNS  # columns at the end that say how the rhythm goes on


def make(painter: Painter, request: Extend, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture made longer: each window begins with the end of what is there."""
    init = canvases["init"]
    width = init.width + round(init.params.column(request.seconds))
    begin, stride = _windows(init)
    more = ceil(max(0, width - begin - CLIP_COLUMNS) / stride)
    progress = painter.progress(request, control, [DENOISING] * (1 + more))
    silence = ((0, 0), (0, 0), (0, width - init.width))
    longer = replace(init, pixels=np.pad(init.pixels, silence, constant_values=SILENCE))
    end = init.width
    while end < width:
        context = end - begin
        window = _repeated(longer.cropped(0, end), stride, CLIP_COLUMNS - context).cropped(begin, begin + CLIP_COLUMNS)
        mask = np.broadcast_to(np.arange(CLIP_COLUMNS) >= context, (ROWS, CLIP_COLUMNS))
        longer = repainted(
            painter, request, window, mask, progress,
            denoising=DENOISING, seed_offset=end - init.width, placed=partial(_with, longer, begin, context),
        )  # fmt: skip
        end = begin + CLIP_COLUMNS
        begin += stride
    return longer


def _with(longer: Canvas, begin: int, context: int, window: Canvas) -> Canvas:
    """The picture with a window at column `begin`, but for the window's context, up to its own width."""
    pixels = longer.pixels.copy()
    new = window.pixels[:, :, context : longer.width - begin]
    pixels[:, :, begin + context : begin + context + new.shape[2]] = new
    return replace(longer, pixels=pixels)


def _windows(init: Canvas) -> tuple[int, int]:
    """Where the first window begins, and how far from one to the next."""
    if init.width < CLIP_COLUMNS:
        context = min(CONTEXT_COLUMNS, init.width)
        return init.width - context, CLIP_COLUMNS - context
    start = init.width - CONTEXT_COLUMNS
    tail = init.cropped(max(0, init.width - _HEARD), init.width)
    half = CLIP_COLUMNS // 2
    return repetition(init.grey, start - _OFF, start + _OFF), repetition(tail.grey, half - _OFF, half + _OFF)


def _repeated(canvas: Canvas, period: int, columns: int) -> Canvas:
    """The canvas with so many columns more, which repeat its last `period` columns."""
    period = min(period, canvas.width)
    again = canvas.width - period + np.arange(columns) % period
    return replace(canvas, pixels=np.concatenate((canvas.pixels, canvas.pixels[:, :, again]), axis=2))
