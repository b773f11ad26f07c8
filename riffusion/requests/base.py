"""The base classes of the modes: the fields they share, and what each mode must declare about itself.

What is mandatory is abstract or has no value here: a mode without it fails at import, with a message that names what is
missing.
"""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from riffusion.requests.fields import (
    AudioFormat,
    Guidance,
    GuidanceEnd,
    Int,
    Loras,
    Model,
    Name,
    NamedQuality,
    Scheduler,
    Seed,
    Text,
    TimestepSpacing,
    WebAddress,
)
from riffusion.requests.presets import PRESETS
from riffusion.requests.samplers import DISTILLED_STEPS, FEW_STEP, MAX_STEPS, Sampler, misfit
from riffusion.requests.sizes import Sizes
from riffusion.requests.work import Work

SAMPLER_SCHEMA = 3
"""Version of the request format that brought lcm, tcd and the spacing of timesteps."""
PRESET_SCHEMA = 4
"""Version of the request format that brought fast, and qualities whose steps and scheduler are the model's."""


MASK_SCHEMA = 5
"""Version of the request format that brought masks to `interpolate`, and masks by name."""
GUIDANCE_END_SCHEMA = 6
"""Version of the request format that brought the end of guidance."""


class AnyRequest(Model):
    """A request of any mode."""

    MODE: ClassVar[str]
    """The mode's name: the value of its field `mode`."""
    SCHEMA: ClassVar[int]
    """Version of the request format that brought the mode; a field added since raises it where the field is used.

    Workers of an older version leave such jobs to newer ones: a new mode takes the next number.
    """
    PURPOSE: ClassVar[str]
    """One line for the command line's list of commands."""
    COMMAND: ClassVar[str]
    """The command's name; left out, the mode's."""
    EXAMPLE: ClassVar[dict[str, Any]]
    """A small request: its JSON without the mode."""
    UNTITLED: ClassVar[str] = "A clip"
    """What a clip is called whose request has no prompt."""
    SEAMLESS: ClassVar[bool] = False
    """Whether the sound's end leads into its beginning."""
    RANK: ClassVar[int] = 100
    """Where lists show it: low ones first, those of one rank by name."""

    model: Name | None = Field(default=None, description="One of `GET /models`; left out, the server's default.")
    format: AudioFormat = Field(default="mp3", description="The result's audio format.")
    quality: NamedQuality | None = Field(
        default=None,
        description="How much work to spend on picture and sound; `GET /models` says what each stands for. [standard]",
    )
    fresh: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Make it again, even if the same request with the same seed was made before."
    )
    webhook: WebAddress | None = Field(
        default=None,
        description="Where to POST the job when it has ended; for owners of an API key. Not part of the job's request.",
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Checks that a mode says all that it must; a class whose `mode` has no value yet is a base of modes.

        Raises:
            TypeError: naming what is missing.
        """
        mode = cls.model_fields.get("mode")
        if mode is None or mode.is_required():
            return
        cls.MODE = mode.default
        cls.COMMAND = vars(cls).get("COMMAND", cls.MODE)
        missing = {*cls.__abstractmethods__, *(name for name in cls.__class_vars__ if not hasattr(cls, name))}
        if missing:
            raise TypeError(f"{cls.__module__}.{cls.__name__} lacks {', '.join(sorted(missing))}")

    @property
    def schema_version(self) -> int:
        """Version of the request format that a worker must know to make it."""
        return max(self.SCHEMA, PRESET_SCHEMA) if self.quality == "fast" else self.SCHEMA

    @property
    @abstractmethod
    def length_field(self) -> str:
        """The field to change so that the clip gets shorter."""

    @abstractmethod
    def columns(self, sizes: Sizes) -> int:
        """Columns of the picture that it makes from inputs of these sizes; of a loop, as many as it may keep."""

    @abstractmethod
    def work(self, sizes: Sizes) -> Work:
        """What has to be done for it, with inputs of these sizes."""


class Painted(AnyRequest):
    """What every mode that runs the diffusion model shares."""

    AT_ONCE: ClassVar[tuple[str, ...]]
    """Fields whose pictures the model paints in their whole width at once, so that `MAX_WIDTH` holds."""

    negative_prompt: Text = Field(default="", description="What to steer away from.")
    steps: Int | None = Field(
        default=None,
        ge=1,
        le=MAX_STEPS,
        description=(
            f"Denoising steps of a full run: 1 to {DISTILLED_STEPS} of lcm and tcd, 2 to {MAX_STEPS} of the others. "
            "Left out, those of the quality."
        ),
    )
    scheduler: Scheduler | None = Field(
        default=None,
        description=(
            "The sampler; lcm and tcd are for LoRAs and models distilled to a few steps. Left out, that of the quality."
        ),
    )
    timestep_spacing: TimestepSpacing | None = Field(
        default=None,
        description="Where the steps lie between noise and picture; not of lcm and tcd. Left out, as the model says.",
    )
    guidance_end: GuidanceEnd | None = None
    lora: Loras = None

    @model_validator(mode="after")
    def _sampler_fits(self) -> Self:
        found = misfit(*self.sampler, self.timestep_spacing) if self.scheduler else None  # else as the model says
        if found:
            raise PydanticCustomError("sampler", "{problem}", {"field": found[0], "problem": found[1]})
        return self

    @property
    @abstractmethod
    def guided(self) -> bool:
        """Whether the UNet runs with and without the prompt: only then a negative prompt has an effect."""

    @property
    def guided_share(self) -> float:
        """Share of the steps in which the UNet runs with and without the prompt."""
        return (self.guidance_end or 1.0) if self.guided else 0.0

    @property
    def used_negative_prompt(self) -> str:
        """The negative prompt, empty where it is unused: a long one would still lengthen the prompt's embeddings."""
        return self.negative_prompt if self.guided else ""

    @property
    def sampler(self) -> Sampler:
        """Its sampler; what it leaves out is that of a model without presets of its own."""
        preset = PRESETS[self.quality or "standard"]
        return Sampler(self.scheduler or preset.scheduler, self.steps or preset.steps)

    @property
    def schema_version(self) -> int:
        """As of the mode, or of the newest sampler, field or quality that it uses."""
        version = super().schema_version
        preset = PRESETS[self.quality or "standard"]
        if self.quality and self.sampler != (preset.scheduler, preset.steps):
            version = max(version, PRESET_SCHEMA)
        if self.guidance_end is not None:
            version = max(version, GUIDANCE_END_SCHEMA)
        newer = self.sampler.scheduler in FEW_STEP or self.timestep_spacing is not None
        return max(version, SAMPLER_SCHEMA) if newer else version

    @property
    @abstractmethod
    def prompts(self) -> tuple[str, ...]:
        """What it asks the model for."""


class Prompted(Painted):
    """What every mode with one prompt shares."""

    prompt: Text = Field(description="What to paint; `(words:1.2)` weighs them.", examples=["church bells"])
    seed: Seed | None = None
    guidance: Guidance | None = None

    @property
    def prompts(self) -> tuple[str, ...]:
        """The one prompt."""
        return (self.prompt,)

    @property
    def guided(self) -> bool:
        """Whether the UNet runs with and without the prompt; models guide unless they are asked not to."""
        return self.guidance is None or self.guidance > 1


class AsWideAsItsInput(AnyRequest):
    """What every mode shares whose clip is as wide as the one picture or sound that it starts from."""

    INPUT: ClassVar[str]
    """The field of that picture or sound."""

    @property
    def length_field(self) -> str:
        """Its input."""
        return self.INPUT

    def columns(self, sizes: Sizes) -> int:
        """As many as its input has."""
        return sizes[self.INPUT].columns
