"""Painting a part of a picture.

Where the mask is 0, every pixel stays exactly as it was, in both channels of a stereo picture; the model paints in
mono, so what is new sounds from the middle.
"""

from collections.abc import Callable, Sequence

from riffusion.diffusion.noise import SeededNoise
from riffusion.generate.painter import ImageTask, Painter, Progress, seed_of
from riffusion.requests.base import Prompted
from riffusion.spectrogram.canvas import Canvas, Grey, Mask


def repainted(
    painter: Painter,
    request: Prompted,
    canvas: Canvas,
    mask: Mask,
    progress: Progress,
    *,
    denoising: float = 1.0,
    seed_offset: int = 0,
    placed: Callable[[Canvas], Canvas] = lambda canvas: canvas,
) -> Canvas:
    """The canvas with what the mask covers painted again.

    Args:
        placed: puts it where it belongs in the request's whole picture.
    """
    task = ImageTask(
        conditioning=painter.conditioning(request),
        noise=SeededNoise(seed_of(request.seed) + seed_offset),
        width=canvas.width,
        init=canvas.grey,
        denoising=denoising,
        mask=mask,
    )

    def whole(greys: Sequence[Grey]) -> Canvas:
        return placed(canvas.pasted(greys[0], mask))

    return whole(painter.paint(request, [task], progress, lambda greys: whole(greys).grey))
