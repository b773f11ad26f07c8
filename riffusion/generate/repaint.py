"""Painting a part of a picture.

Where the mask is false, every pixel stays exactly as it was, in both channels of a stereo picture; the model paints in
mono, so what is new sounds from the middle.
"""

from riffusion.diffusion.noise import SeededNoise
from riffusion.generate.painter import ImageTask, Painter, Progress, seed_of
from riffusion.requests.base import Prompted
from riffusion.spectrogram.canvas import Canvas, Mask


def repainted(
    painter: Painter,
    request: Prompted,
    canvas: Canvas,
    mask: Mask,
    progress: Progress,
    *,
    denoising: float = 1.0,
    seed_offset: int = 0,
) -> Canvas:
    """The canvas with what the mask covers painted again."""
    task = ImageTask(
        conditioning=painter.conditioning(request),
        noise=SeededNoise(seed_of(request.seed) + seed_offset),
        width=canvas.width,
        init=canvas.grey,
        denoising=denoising,
        mask=mask,
    )
    (grey,) = painter.paint(request, [task], progress)
    return canvas.pasted(grey, mask)
