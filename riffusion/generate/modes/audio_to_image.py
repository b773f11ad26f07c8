"""The spectrogram of a clip."""

from collections.abc import Mapping

from riffusion.generate.clip import Control
from riffusion.requests.modes.audio_to_image import AudioToImage
from riffusion.spectrogram.canvas import Canvas


def make(_painter: None, _request: AudioToImage, canvases: Mapping[str, Canvas], _control: Control) -> Canvas:
    """The clip's picture as it is."""
    return canvases["clip"]
