"""The sound of a picture."""

from typing import ClassVar, Literal

from riffusion.requests.base import AsWideAsItsInput
from riffusion.requests.references import Picture
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import Work


class ImageToAudio(AsWideAsItsInput):
    """The sound of a picture; a hand-drawn one too."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "The sound of a picture."
    EXAMPLE: ClassVar = {"image": {"seed_image": "drums"}}
    UNTITLED: ClassVar = "A drawing"
    INPUT: ClassVar = "image"
    RANK: ClassVar = 60

    mode: Literal["image-to-audio"] = "image-to-audio"
    image: Picture

    def work(self, sizes: Sizes) -> Work:
        """The sound alone."""
        image = sizes["image"]
        return Work(image.columns, image.channels)
