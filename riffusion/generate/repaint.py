"""Modes that keep most of a picture: inpainting, making it longer, closing it to a loop.

Where the mask is false, every pixel stays exactly as it was, in both channels of a stereo picture; the model paints in
mono, so what is new sounds from the middle.
"""

import numpy as np

from riffusion.diffusion.noise import SeededNoise
from riffusion.generate.canvas import HEIGHT, SILENCE, Canvas, Mask, check_width, invalid, pad
from riffusion.generate.clip import Control
from riffusion.generate.modes.audio_to_audio import CLIP_COLUMNS, seed_of
from riffusion.generate.painter import Painter, Progress, Stroke
from riffusion.requests import CONTEXT_SECONDS, Extend, Inpaint, Loop, MaskBox
from riffusion.requests.base import Prompted
from riffusion.spectrogram.params import SpectrogramParams

CONTEXT_COLUMNS = round(100 * CONTEXT_SECONDS)
SEAM_COLUMNS = 128  # that are painted anew around a loop's join
_SHORTEST_LOOP = 64
_TOLERANCE = 0.02  # of a bar that may be missing at the end of a picture


def inpaint(painter: Painter, request: Inpaint, init: Canvas, mask: Canvas | None, control: Control) -> Canvas:
    """The picture with a part of it painted anew."""
    check_width(init, "init")
    area = _box(request.mask, init) if isinstance(request.mask, MaskBox) else _uploaded(mask, init)
    progress = painter.progress(request, control, [request.denoising])
    return _repainted(painter, request, init, area, progress, denoising=request.denoising)


def extend(painter: Painter, request: Extend, init: Canvas, control: Control) -> Canvas:
    """The picture made longer, window by window: each sees the end of what is there and paints on."""
    width = init.width + round(init.columns(request.seconds))
    context = min(CONTEXT_COLUMNS, init.width)
    new = CLIP_COLUMNS - context
    progress = painter.progress(request, control, [1.0] * -(-(width - init.width) // new))
    longer = init
    for offset in range(0, width - init.width, new):
        tail = longer.cropped(longer.width - context, longer.width)
        mask = np.broadcast_to(np.arange(CLIP_COLUMNS) >= context, (HEIGHT, CLIP_COLUMNS))
        window = _repainted(painter, request, _continued(tail), mask, progress, seed_offset=offset)
        painted = window.pixels[:, :, context:]
        longer = Canvas(np.concatenate((longer.pixels, painted), axis=2), init.params, init.tempo)
    return longer.cropped(0, width)


def loop(painter: Painter, request: Loop, init: Canvas, control: Control) -> Canvas:
    """The picture cut to whole bars and rolled into a circle, its join painted anew."""
    circle = init.cropped(0, _loop_columns(request, init))
    half = min(SEAM_COLUMNS, circle.width // 2) // 2
    around = np.arange(-CLIP_COLUMNS // 2, CLIP_COLUMNS // 2)  # columns seen from the join, which lies in the middle
    window = Canvas(circle.pixels[:, :, around % circle.width], init.params)
    mask = np.broadcast_to((around >= -half) & (around < half), (HEIGHT, CLIP_COLUMNS))
    window = _repainted(painter, request, window, mask, painter.progress(request, control, [1.0]))
    seam = np.arange(-half, half)
    pixels = circle.pixels.copy()
    pixels[:, :, seam % circle.width] = window.pixels[:, :, seam + CLIP_COLUMNS // 2]
    return Canvas(pixels, init.params, init.tempo)


def _repainted(
    painter: Painter,
    request: Prompted,
    canvas: Canvas,
    mask: Mask,
    progress: Progress,
    *,
    denoising: float = 1.0,
    seed_offset: int = 0,
) -> Canvas:
    stroke = Stroke(
        steering=painter.steering(request),
        noise=SeededNoise(seed_of(request.seed) + seed_offset),
        width=canvas.width,
        init=canvas.grey,
        denoising=denoising,
        mask=mask,
    )
    (grey,) = painter.paint(request, [stroke], progress)
    return canvas.pasted(grey, mask)


def _continued(tail: Canvas) -> Canvas:
    """A window that begins with the tail; what follows is painted over, and mirrors it so that no edge is seen."""
    pixels = np.stack([pad(channel, CLIP_COLUMNS) for channel in tail.pixels])
    return Canvas(pixels, tail.params)


def _loop_columns(request: Loop, init: Canvas) -> int:
    """Columns of the whole bars to keep; all of them where nobody knows the tempo.

    Raises:
        InvalidRequest: bars are asked for that aren't there, or of an unknown length.
    """
    if init.width < _SHORTEST_LOOP:
        raise invalid("init", f"has {init.width} columns; a loop needs {_SHORTEST_LOOP}")
    bpm = request.bpm or (init.tempo.bpm if init.tempo else None)
    if bpm is None:
        if request.bars is not None:
            raise invalid("bpm", "is needed with bars: the picture doesn't tell its tempo")
        return init.width
    beats = init.tempo.beats_per_bar if init.tempo else 4
    bar = init.columns(beats * 60 / bpm)
    whole = int(init.width / bar + _TOLERANCE)
    if request.bars is not None and request.bars > whole:
        raise invalid("bars", f"the picture has {whole} whole bars at {bpm:g} BPM")
    if whole == 0:
        raise invalid("bpm", f"the picture is shorter than one bar at {bpm:g} BPM")
    return max(_SHORTEST_LOOP, min(init.width, round((request.bars or whole) * bar)))


def _box(box: MaskBox, init: Canvas) -> Mask:
    """The pixels of a box in seconds and hertz, those that it only touches included.

    Raises:
        InvalidRequest: it lies outside of the picture.
    """
    mask = np.ones((HEIGHT, init.width), dtype=bool)
    if box.seconds is not None:
        first, last = (init.columns(seconds) for seconds in box.seconds)
        columns = np.arange(init.width)
        mask &= (columns + 1 > first) & (columns < last)
        if not mask.any():
            raise invalid("mask.seconds", f"the picture ends at {init.params.seconds(init.width):g} s")
    if box.hertz is not None:
        low, high = (_row(hertz, init.params) for hertz in box.hertz)
        rows = np.arange(HEIGHT)[:, None]
        mask = mask & (rows + 1 > high) & (rows < low)
        if not mask.any():
            raise invalid("mask.hertz", f"the picture shows {init.params.min_hz} to {init.params.max_hz} Hz")
    return mask


def _row(hertz: float, params: SpectrogramParams) -> float:
    """Distance from the picture's top of a frequency, in rows of the mel scale (HTK: 2595 log10(1 + f / 700))."""
    low, high, mel = (2595 * np.log10(1 + f / 700) for f in (params.min_hz, params.max_hz, hertz))
    return float(HEIGHT * (high - mel) / (high - low))


def _uploaded(mask: Canvas | None, init: Canvas) -> Mask:
    """The white half of a mask picture, stretched over the picture.

    Raises:
        InvalidRequest: nothing in it is white.
    """
    if mask is None:
        raise invalid("mask", "the picture is missing")
    columns = np.arange(init.width) * mask.width // init.width
    area: Mask = mask.grey[:, columns] > SILENCE // 2
    if not area.any():
        raise invalid("mask", "has no white pixels; white is what is painted anew")
    return area
