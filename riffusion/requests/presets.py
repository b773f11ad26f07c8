"""What a quality stands for: the sampler that it uses, and what that sampler needs."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from riffusion.requests.fields import Guidance, GuidanceEnd, Int, Loras, Model, Quality, Scheduler, TimestepSpacing
from riffusion.requests.samplers import FEW_STEP, MAX_STEPS, misfit


class Preset(Model):
    """The fields that a quality fills in where a request leaves them out."""

    steps: Int = Field(ge=1, le=MAX_STEPS)
    scheduler: Scheduler = "dpm++2m"
    timestep_spacing: TimestepSpacing | None = None
    """None: as the checkpoint says."""
    guidance: Guidance | None = None
    """None: the model's own for requests without guidance."""
    guidance_end: GuidanceEnd | None = None
    """None: all steps are guided."""
    lora: Loras = None
    """LoRAs that the sampler needs, such as one that was distilled to these steps."""

    @property
    def distilled(self) -> bool:
        """Whether it is for weights that were distilled: to its number of steps, mostly with guidance in them."""
        return self.scheduler in FEW_STEP or (self.guidance is not None and self.guidance <= 1)

    @model_validator(mode="after")
    def _sampler_fits(self) -> Self:
        if found := misfit(self.scheduler, self.steps, self.timestep_spacing):
            raise PydanticCustomError("sampler", "{problem}", {"problem": found[1]})
        return self


Presets = dict[Quality, Preset]

PRESETS: Presets = {"fast": Preset(steps=10), "standard": Preset(steps=20), "best": Preset(steps=50)}
"""Those of a model that has none of its own."""
