"""The base class of modes that go from one end to another: one clip at `alpha`, or several joined into one."""

from abc import abstractmethod
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from riffusion.requests.base import Painted
from riffusion.requests.fields import Denoising, Float, Guidance, Int, Model, Seed, Text
from riffusion.requests.sizes import Sizes

MAX_CLIPS = 64


class InterpolationEnd(Model):
    """One end of an interpolation."""

    prompt: Text
    seed: Seed | None = None
    denoising: Denoising = 0.75
    guidance: Guidance | None = None


class Between(Painted):
    """What every mode with two ends shares."""

    mode: str  # here for the order of the fields: stored requests are compared as text
    start: InterpolationEnd
    end: InterpolationEnd
    alpha: Annotated[Float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Where the one clip lies: 0 is at the start, 1 at the end."
    )
    clips: Annotated[Int, Field(ge=2, le=MAX_CLIPS)] | None = Field(
        default=None, description="Instead of alpha: how many clips from start to end are joined into one."
    )

    @model_validator(mode="after")
    def _alpha_or_clips(self) -> Self:
        if (self.alpha is None) == (self.clips is None):
            raise PydanticCustomError("alpha_or_clips", "give either alpha or clips")
        return self

    @abstractmethod
    def width(self, sizes: Sizes) -> int:
        """Columns of each clip."""

    def columns(self, sizes: Sizes) -> int:
        """Of all clips side by side."""
        return (self.clips or 1) * self.width(sizes)

    @property
    def prompts(self) -> tuple[str, ...]:
        """Those of its ends."""
        return self.start.prompt, self.end.prompt

    @property
    def guided(self) -> bool:
        """Whether the UNet runs with and without the prompts, of one clip at least; left out, models guide."""
        start, end = self.start.guidance, self.end.guidance
        if start is None or end is None:
            return True
        return (max(start, end) if self.alpha is None else mix(start, end, self.alpha)) > 1

    @property
    def mean_denoising(self) -> float:
        """The denoising strength of the one clip, or the mean over all."""
        return mix(self.start.denoising, self.end.denoising, self._mean_alpha)

    @property
    def _mean_alpha(self) -> float:
        return 0.5 if self.alpha is None else self.alpha


def mix(start: float, end: float, alpha: float) -> float:
    """The number so far along the straight way from `start` to `end`."""
    return start + (end - start) * alpha
