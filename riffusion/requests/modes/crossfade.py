"""From one clip to another."""

from typing import ClassVar, Literal

from pydantic import Field

from riffusion.requests.between import Between, InterpolationEnd
from riffusion.requests.fields import Text
from riffusion.requests.references import Picture
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import DenoisingWork, Work


class CrossfadeEnd(InterpolationEnd):
    """One end of a crossfade."""

    prompt: Text = Field(default="", description="What to paint on this side.")
    init: Picture


class Crossfade(Between):
    """From one clip to another: one clip between them at `alpha`, or `clips` from start to end joined into one.

    It is as wide as the narrower of the two pictures, and has the tempo of the start.
    """

    SCHEMA: ClassVar = 2
    PURPOSE: ClassVar = "From one clip to another."
    EXAMPLE: ClassVar = {
        "start": {"init": {"seed_image": "piano"}},
        "end": {"init": {"seed_image": "guitar"}},
        "alpha": 0.5,
    }
    UNTITLED: ClassVar = "A crossfade"
    AT_ONCE: ClassVar = ("start.init", "end.init")
    RANK: ClassVar = 35

    mode: Literal["crossfade"] = "crossfade"
    start: CrossfadeEnd
    end: CrossfadeEnd

    @property
    def length_field(self) -> str:
        """How many clips, or the picture at the start of the one clip."""
        return "start.init" if self.clips is None else "clips"

    def work(self, sizes: Sizes) -> Work:
        """Every clip, in mono; the two pictures are encoded once."""
        denoising = DenoisingWork(
            self.width(sizes),
            self.sampler.steps * self.mean_denoising,
            self.guided_share,
            encoded=2,
            pictures=self.clips or 1,
        )
        return Work(self.columns(sizes), channels=1, denoising=denoising)

    def width(self, sizes: Sizes) -> int:
        """Of the narrower of the two pictures."""
        return min(sizes[field].columns for field in self.AT_ONCE)
