"""A part of a picture painted again."""

from typing import ClassVar, Literal

from pydantic import Field

from riffusion.requests.base import MASK_SCHEMA, AsWideAsItsInput, Prompted
from riffusion.requests.fields import Denoising
from riffusion.requests.references import Mask, Picture, SeedImage
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import DenoisingWork, Work


class Inpaint(AsWideAsItsInput, Prompted):
    """Paints part of a picture again; every other pixel stays exactly as it was."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "Paint part of a clip again."
    EXAMPLE: ClassVar = {"prompt": "church bells", "init": {"seed_image": "drums"}, "mask": {"seconds": [1, 2.5]}}
    AT_ONCE: ClassVar = ("init",)
    INPUT: ClassVar = "init"
    RANK: ClassVar = 40

    mode: Literal["inpaint"] = "inpaint"
    init: Picture
    mask: Mask = Field(
        description="A picture whose white is painted again and whose black stays, while grey mixes old and new; or a "
        "box in seconds and hertz."
    )
    denoising: Denoising = 1.0

    @property
    def schema_version(self) -> int:
        """As of the mode, or of masks by name."""
        version = super().schema_version
        return max(version, MASK_SCHEMA) if isinstance(self.mask, SeedImage) else version

    def work(self, sizes: Sizes) -> Work:
        """The whole picture: what stays guides the model."""
        init = sizes["init"]
        denoising = DenoisingWork(init.columns, self.sampler.steps * self.denoising, self.guided_share, encoded=1)
        return Work(init.columns, init.channels, denoising=denoising)
