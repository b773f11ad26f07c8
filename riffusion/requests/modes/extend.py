"""A clip made longer."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from riffusion.geometry import CLIP_COLUMNS, COLUMNS_PER_S
from riffusion.requests.base import Prompted
from riffusion.requests.fields import Float
from riffusion.requests.references import Picture
from riffusion.requests.sizes import CONTEXT_COLUMNS, Sizes
from riffusion.requests.work import DenoisingWork, Work

DENOISING = 0.85
"""Share of the steps that paint what is new: it starts from what was there a few beats before."""


class Extend(Prompted):
    """A clip made longer: the model paints on where it ends."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "Make a clip longer."
    EXAMPLE: ClassVar = {"prompt": "church bells", "init": {"seed_image": "drums"}}
    AT_ONCE: ClassVar = ()
    RANK: ClassVar = 80

    mode: Literal["extend"] = "extend"
    init: Picture
    seconds: Float = Field(default=5.0, gt=0, le=120, description="Seconds to add.")

    @property
    def length_field(self) -> str:
        """The seconds to add."""
        return "seconds"

    def columns(self, sizes: Sizes) -> int:
        """Those that are there, and those to add."""
        return sizes["init"].columns + round(COLUMNS_PER_S * self.seconds)

    def work(self, sizes: Sizes) -> Work:
        """Windows that begin with the end of what is there, one after another."""
        init = sizes["init"]
        new = CLIP_COLUMNS - min(CONTEXT_COLUMNS, init.columns)
        windows = math.ceil(COLUMNS_PER_S * self.seconds / new)
        steps = self.sampler.steps * DENOISING
        denoising = DenoisingWork(CLIP_COLUMNS, steps, self.guided_share, encoded=windows, pictures=windows)
        return Work(self.columns(sizes), init.channels, denoising=denoising)
