"""A new clip in the shape of an initial picture."""

from typing import ClassVar, Literal

from riffusion.requests.base import AsWideAsItsInput, Prompted
from riffusion.requests.fields import Denoising
from riffusion.requests.references import Picture
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import DenoisingWork, Work


class Riff(AsWideAsItsInput, Prompted):
    """A new clip in the shape of an initial picture (image-to-image)."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "A new clip in the shape of another."
    EXAMPLE: ClassVar = {"prompt": "church bells", "init": {"seed_image": "drums"}}
    AT_ONCE: ClassVar = ("init",)
    INPUT: ClassVar = "init"
    RANK: ClassVar = 20

    mode: Literal["riff"] = "riff"
    init: Picture
    denoising: Denoising = 0.75

    def work(self, sizes: Sizes) -> Work:
        """The whole picture, in mono."""
        width = self.columns(sizes)
        denoising = DenoisingWork(width, self.sampler.steps * self.denoising, self.guided_share, encoded=1)
        return Work(width, channels=1, denoising=denoising)
