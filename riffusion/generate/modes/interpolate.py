"""Pictures between two prompts and seeds."""

from collections.abc import Mapping

from riffusion.generate.between import Kept, paint_between
from riffusion.generate.clip import Control
from riffusion.generate.masks import mask_of
from riffusion.generate.painter import Painter
from riffusion.geometry import CLIP_COLUMNS
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.spectrogram.canvas import Canvas


def make(painter: Painter, request: Interpolate, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """From noise, or all from the same initial picture, of which the mask may keep a part."""
    init = canvases.get("init")
    if init is None:
        return Canvas.blank(paint_between(painter, request, CLIP_COLUMNS, lambda _alpha: None, control))
    mono, kept = Canvas.blank(init.grey, like=init), None
    if request.mask is not None:
        kept = Kept(mono, mask_of(request.mask, mono, canvases))
    grey = paint_between(painter, request, init.width, lambda _alpha: mono.grey, control, kept=kept)
    return Canvas.blank(grey, like=init)
