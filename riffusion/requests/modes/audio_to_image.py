"""The spectrogram of a clip."""

from typing import ClassVar, Literal

from riffusion.requests.base import AnyRequest
from riffusion.requests.references import Clip
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import Work


class AudioToImage(AnyRequest):
    """The spectrogram of a clip, and the sound that the picture holds."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "The spectrogram of a recording."
    EXAMPLE: ClassVar = {"clip": {"upload": "u" * 22}}
    UNTITLED: ClassVar = "A sound"
    RANK: ClassVar = 70

    mode: Literal["audio-to-image"] = "audio-to-image"
    clip: Clip

    @property
    def length_field(self) -> str:
        """The clip."""
        return "clip"

    def columns(self, sizes: Sizes) -> int:
        """As many as the clip's picture has."""
        return sizes["clip"].columns

    def work(self, sizes: Sizes) -> Work:
        """The picture, and the sound again."""
        clip = sizes["clip"]
        return Work(clip.columns, clip.channels, analysis=clip)
