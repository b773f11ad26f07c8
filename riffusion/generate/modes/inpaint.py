"""A part of a picture painted again."""

from collections.abc import Mapping

from riffusion.generate.clip import Control
from riffusion.generate.masks import mask_of
from riffusion.generate.painter import Painter
from riffusion.generate.repaint import repainted
from riffusion.requests.modes.inpaint import Inpaint
from riffusion.spectrogram.canvas import Canvas


def make(painter: Painter, request: Inpaint, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture, painted again where the mask says."""
    init = canvases["init"]
    mask = mask_of(request.mask, init, canvases)
    progress = painter.progress(request, control, [request.denoising])
    return repainted(painter, request, init, mask, progress, denoising=request.denoising)
