"""A picture from a prompt alone."""

from collections.abc import Mapping

from riffusion.diffusion.noise import SeededNoise
from riffusion.generate.clip import Control
from riffusion.generate.painter import ImageTask, Painter, seed_of
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.spectrogram.canvas import Canvas


def make(painter: Painter, request: TextToAudio, _canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """The picture, from noise."""
    task = ImageTask(painter.conditioning(request), SeededNoise(seed_of(request.seed)), request.width)
    (grey,) = painter.paint(request, [task], painter.progress(request, control, [1.0]))
    return Canvas.blank(grey)
