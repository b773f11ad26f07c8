"""A picture in the shape of another one."""

from collections.abc import Mapping

from riffusion.diffusion.noise import SeededNoise
from riffusion.generate.clip import Control
from riffusion.generate.painter import ImageTask, Painter, seed_of
from riffusion.requests.modes.riff import Riff
from riffusion.spectrogram.canvas import Canvas


def make(painter: Painter, request: Riff, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture, of the same width."""
    init = canvases["init"]
    task = ImageTask(
        painter.conditioning(request),
        SeededNoise(seed_of(request.seed)),
        init.width,
        init=init.grey,
        denoising=request.denoising,
    )
    (grey,) = painter.paint(request, [task], painter.progress(request, control, [request.denoising]))
    return Canvas.blank(grey, like=init)
