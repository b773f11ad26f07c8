"""A clip that repeats without a seam."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from riffusion.geometry import CLIP_COLUMNS, COLUMNS_PER_S
from riffusion.requests.base import AsWideAsItsInput, Prompted
from riffusion.requests.fields import Float, Int, Text
from riffusion.requests.references import Picture
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import DenoisingWork, Work

_BEATS, _BPM = 4, 120  # of a bar, and of a picture whose tempo the request doesn't give


class Loop(AsWideAsItsInput, Prompted):
    """A clip that repeats without a seam: its join is painted again and its length is a whole number of bars."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "Make a clip repeat without a seam."
    EXAMPLE: ClassVar = {"init": {"seed_image": "drums"}, "bars": 2}
    UNTITLED: ClassVar = "A loop"
    AT_ONCE: ClassVar = ()
    SEAMLESS: ClassVar = True
    INPUT: ClassVar = "init"  # not of whole bars: only the picture itself says how long they are
    RANK: ClassVar = 90

    mode: Literal["loop"] = "loop"
    prompt: Text = Field(default="", description="What to paint at the join.")
    init: Picture
    bars: Annotated[Int, Field(ge=1, le=64)] | None = Field(default=None, description="Bars to keep; left out, all.")
    bpm: Annotated[Float, Field(ge=30, le=300)] | None = Field(
        default=None, description="Left out, the picture's own, if known."
    )

    def work(self, sizes: Sizes) -> Work:
        """One window around the join, and the sound of the bars that are kept, as far as the request says."""
        init = sizes["init"]
        kept = init.columns
        if self.bars is not None:
            kept = min(kept, round(COLUMNS_PER_S * self.bars * _BEATS * 60 / (self.bpm or _BPM)))
        denoising = DenoisingWork(CLIP_COLUMNS, self.sampler.steps, self.guided_share, encoded=1)
        return Work(kept, init.channels, denoising=denoising)
