"""The sound of a picture."""

from typing import ClassVar, Literal

from riffusion.requests.base import AnyRequest
from riffusion.requests.references import Picture
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import Work


class ImageToAudio(AnyRequest):
    """The sound of a picture; a hand-drawn one too."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "The sound of a picture."
    EXAMPLE: ClassVar = {"image": {"seed_image": "drums"}}
    UNTITLED: ClassVar = "A drawing"
    RANK: ClassVar = 60

    mode: Literal["image-to-audio"] = "image-to-audio"
    image: Picture

    @property
    def length_field(self) -> str:
        """The picture."""
        return "image"

    def columns(self, sizes: Sizes) -> int:
        """As many as the picture has."""
        return sizes["image"].columns

    def work(self, sizes: Sizes) -> Work:
        """The sound alone."""
        image = sizes["image"]
        return Work(image.columns, image.channels)
