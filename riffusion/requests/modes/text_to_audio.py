"""A clip from a prompt alone."""

from typing import ClassVar, Literal

from pydantic import Field

from riffusion.geometry import MAX_WIDTH
from riffusion.requests.base import Prompted
from riffusion.requests.fields import Int
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import DenoisingWork, Work


class TextToAudio(Prompted):
    """A clip from a prompt alone."""

    SCHEMA: ClassVar = 1
    COMMAND: ClassVar = "generate"
    PURPOSE: ClassVar = "A clip from a prompt."
    EXAMPLE: ClassVar = {"prompt": "church bells"}
    AT_ONCE: ClassVar = ()
    RANK: ClassVar = 10

    mode: Literal["text-to-audio"] = "text-to-audio"
    width: Int = Field(
        default=512, ge=128, le=MAX_WIDTH, multiple_of=64, description="Columns of the picture, 10 ms each."
    )

    @property
    def length_field(self) -> str:
        """Its width."""
        return "width"

    def columns(self, _sizes: Sizes) -> int:
        """As many as are asked for."""
        return self.width

    def work(self, _sizes: Sizes) -> Work:
        """One picture from noise."""
        denoising = DenoisingWork(self.width, self.sampler.steps, self.guided_share, encoded=0)
        return Work(self.width, channels=1, denoising=denoising)
