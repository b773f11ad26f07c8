"""Between two prompts and seeds."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from riffusion.geometry import CLIP_COLUMNS
from riffusion.requests.base import MASK_SCHEMA
from riffusion.requests.between import Between
from riffusion.requests.references import Mask, Picture
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

    mask: Mask | None = Field(
        default=None,
        description="Where each clip is painted: white of a picture, or a box in seconds and hertz; black stays as "
        "`init` is, and grey mixes both.",
    )

    @model_validator(mode="after")
    def _mask_has_a_picture(self) -> Self:
        if self.mask is not None and self.init is None:
            raise PydanticCustomError("mask", "needs init, of which it keeps the black part", {"field": "mask"})
        return self

    @property
    def schema_version(self) -> int:
        """As of the mode, or of its masks."""
        version = super().schema_version
        return version if self.mask is None else max(version, MASK_SCHEMA)

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
            self.guided_share,
            encoded=clips if self.init else 0,
            pictures=clips,
        )
        return Work(self.columns(sizes), channels=1, denoising=denoising)

    def width(self, sizes: Sizes) -> int:
        """Of the initial picture, or of a clip from noise."""
        return sizes["init"].columns if self.init else CLIP_COLUMNS
