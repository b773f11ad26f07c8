"""The sound of a picture."""

from collections.abc import Mapping

from riffusion.generate.clip import Control
from riffusion.requests.modes.image_to_audio import ImageToAudio
from riffusion.spectrogram.canvas import Canvas


def make(_painter: None, _request: ImageToAudio, canvases: Mapping[str, Canvas], _control: Control) -> Canvas:
    """The picture as it is."""
    return canvases["image"]
