"""The spectrogram of a clip."""

from typing import ClassVar, Literal

from riffusion.requests.base import AsWideAsItsInput
from riffusion.requests.references import Clip
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import Work


class AudioToImage(AsWideAsItsInput):
    """The spectrogram of a clip, and the sound that the picture holds."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "The spectrogram of a recording."
    EXAMPLE: ClassVar = {"clip": {"upload": "u" * 22}}
    UNTITLED: ClassVar = "A sound"
    INPUT: ClassVar = "clip"
    RANK: ClassVar = 70

    mode: Literal["audio-to-image"] = "audio-to-image"
    clip: Clip

    def work(self, sizes: Sizes) -> Work:
        """The picture, and the sound again."""
        clip = sizes["clip"]
        return Work(clip.columns, clip.channels, analysis=clip)
