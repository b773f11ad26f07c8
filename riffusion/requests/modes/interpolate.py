"""Between two prompts and seeds."""

from typing import ClassVar, Literal

from pydantic import Field

from riffusion.geometry import CLIP_COLUMNS
from riffusion.requests.between import Between
from riffusion.requests.references import Picture
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import DenoisingWork, Work


class Interpolate(Between):
    """Between two prompts and seeds: one clip at `alpha`, or `clips` from start to end joined into one."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "Between two prompts."
    EXAMPLE: ClassVar = {"start": {"prompt": "church bells"}, "end": {"prompt": "drum solo"}, "alpha": 0.5}
    AT_ONCE: ClassVar = ("init",)
    RANK: ClassVar = 30

    mode: Literal["interpolate"] = "interpolate"
    init: Picture | None = Field(
        default=None, description="Left out, the clips start from noise and denoising has no effect."
    )

    @property
    def length_field(self) -> str:
        """How many clips, or the initial picture of the one clip."""
        return "init" if self.init and self.clips is None else "clips"

    def work(self, sizes: Sizes) -> Work:
        """Every clip, in mono."""
        clips = self.clips or 1
        denoising = DenoisingWork(
            self.width(sizes),
            self.sampler.steps * (self.mean_denoising if self.init else 1),
            self.guided,
            encoded=clips if self.init else 0,
            pictures=clips,
        )
        return Work(self.columns(sizes), channels=1, denoising=denoising)

    def width(self, sizes: Sizes) -> int:
        """Of the initial picture, or of a clip from noise."""
        return sizes["init"].columns if self.init else CLIP_COLUMNS
