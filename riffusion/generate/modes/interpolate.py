"""Pictures between two prompts and seeds."""

from collections.abc import Mapping

from riffusion.generate.between import paint_between
from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.geometry import CLIP_COLUMNS
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.spectrogram.canvas import Canvas


def make(painter: Painter, request: Interpolate, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """From noise, or all from the same initial picture."""
    init = canvases.get("init")
    width = init.width if init else CLIP_COLUMNS
    grey = paint_between(painter, request, width, lambda _alpha: init.grey if init else None, control)
    return Canvas.blank(grey, like=init)
