"""Pictures between two pictures.

They start from the latents of both, blended on the sphere. A straight line between two unrelated latents is shorter in
the middle than at its ends, as is one between their pixels: half-way, the sound of two seed images is 5 to 8 dB below
its ends before the model paints, against less than 2 dB on the sphere.
"""

from collections.abc import Mapping

from riffusion.diffusion.noise import slerp
from riffusion.generate.between import paint_between
from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.requests.modes.crossfade import Crossfade
from riffusion.spectrogram.canvas import Canvas


def make(painter: Painter, request: Crossfade, canvases: Mapping[str, Canvas], control: Control) -> Canvas:
    """As wide as the narrower picture, with the scale and tempo of the start."""
    inits = canvases["start.init"], canvases["end.init"]
    width = min(canvas.width for canvas in inits)
    start, end = (painter.encode(canvas.cropped(0, width).grey) for canvas in inits)
    grey = paint_between(painter, request, width, lambda alpha: slerp(alpha, start, end), control)
    return Canvas.blank(grey, like=inits[0])
