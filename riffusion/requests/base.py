"""One pydantic model per mode. Defaults follow the original where it had the mode."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from riffusion.requests.fields import (
    AudioFormat,
    Denoising,
    Float,
    Guidance,
    Int,
    Loras,
    Model,
    Name,
    Quality,
    Scheduler,
    Seed,
    Text,
    WebAddress,
)
from riffusion.requests.references import Clip, Mask, Picture

MAX_CLIPS = 64
MAX_WIDTH = 2048  # columns that the model paints in one go

PRESETS: dict[str, tuple[int, Scheduler]] = {
    "draft": (10, "dpm++2m"),
    "standard": (20, "dpm++2m"),
    "best": (50, "dpm++2m"),
}
"""Steps and scheduler that a quality stands for."""


class BaseRequest(Model):
    """What every request has."""

    SCHEMA: ClassVar[int] = 1
    """Version of the request format that brought the mode; a field added since raises it where the field is used."""

    model: Name | None = Field(None, description="One of `GET /models`; left out, the server's default.")
    format: AudioFormat = Field("mp3", description="The result's audio format.")
    quality: Quality | None = Field(
        None, description="How much work to spend on picture and sound; instead of steps and scheduler. [standard]"
    )
    fresh: Annotated[bool, Field(strict=True)] = Field(
        False, description="Make it anew, even if the same request with the same seed was made before."
    )
    webhook: WebAddress | None = Field(
        None,
        description="Where to POST the job when it has ended; for owners of an API key. Not part of the job's request.",
    )


class Painted(BaseRequest):
    """What every mode that runs the diffusion model shares."""

    negative_prompt: Text = Field("", description="What to steer away from.")
    steps: Int = Field(20, ge=2, le=150, description="Denoising steps of a full run.")
    scheduler: Scheduler = "dpm++2m"
    lora: Loras = None

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        """Steps and scheduler of the quality asked for, so that the request, once stored, says what was done."""
        quality = data.get("quality") if isinstance(data, dict) else None
        if not isinstance(quality, str) or quality not in PRESETS:
            return data
        steps, scheduler = PRESETS[quality]
        return {"steps": steps, "scheduler": scheduler, **data}

    @model_validator(mode="after")
    def _one_way(self) -> "Painted":
        if self.quality is not None and (self.steps, self.scheduler) != PRESETS[self.quality]:
            steps, scheduler = PRESETS[self.quality]
            raise PydanticCustomError(
                "quality", f"quality {self.quality} is {steps} steps of {scheduler}: leave it or them out"
            )
        return self

    def degraded(self) -> Self | None:
        """The same in fewer steps, those of the draft quality; None where it asks for no more than that."""
        steps, scheduler = PRESETS["draft"]
        if self.steps <= steps:
            return None
        quality: Quality | None = "draft" if self.quality and self.scheduler == scheduler else None
        return self.model_copy(update={"steps": steps, "quality": quality})


class Prompted(Painted):
    prompt: Text = Field(description="What to paint; `(words:1.2)` weighs them.")
    seed: Seed | None = None
    guidance: Guidance | None = None


class TextToAudio(Prompted):
    """A clip from a prompt alone."""

    mode: Literal["text-to-audio"] = "text-to-audio"
    width: Int = Field(512, ge=128, le=MAX_WIDTH, multiple_of=64, description="Columns of the picture, 10 ms each.")


class Riff(Prompted):
    """A new clip in the shape of an initial picture (image-to-image)."""

    mode: Literal["riff"] = "riff"
    init: Picture
    denoising: Denoising = 0.75


class InterpolationEnd(Model):
    """One end of an interpolation."""

    prompt: Text
    seed: Seed | None = None
    denoising: Denoising = 0.75
    guidance: Guidance | None = None


class Interpolate(Painted):
    """Between two prompts and seeds: one clip at `alpha`, or `clips` from start to end joined into one."""

    mode: Literal["interpolate"] = "interpolate"
    start: InterpolationEnd
    end: InterpolationEnd
    alpha: Annotated[Float, Field(ge=0, le=1)] | None = None
    clips: Annotated[Int, Field(ge=2, le=MAX_CLIPS)] | None = None
    init: Picture | None = Field(None, description="Left out, the clips start from noise and denoising has no effect.")

    @model_validator(mode="after")
    def _one(self) -> "Interpolate":
        if (self.alpha is None) == (self.clips is None):
            raise PydanticCustomError("alpha_or_clips", "give either alpha or clips")
        return self


class Inpaint(Prompted):
    """Paints part of a picture anew; every other pixel stays exactly as it was."""

    mode: Literal["inpaint"] = "inpaint"
    init: Picture
    mask: Mask = Field(description="White pixels of an uploaded picture, or a box in seconds and hertz.")
    denoising: Denoising = 1.0


class AudioToAudio(Prompted):
    """A clip of any length sung anew by the model, in overlapping windows."""

    mode: Literal["audio-to-audio"] = "audio-to-audio"
    clip: Clip
    denoising: Denoising = 0.55


class ImageToAudio(BaseRequest):
    """The sound of a picture; a hand-drawn one too."""

    mode: Literal["image-to-audio"] = "image-to-audio"
    image: Picture


class AudioToImage(BaseRequest):
    """The spectrogram of a clip, and the sound that the picture holds."""

    mode: Literal["audio-to-image"] = "audio-to-image"
    clip: Clip


class Extend(Prompted):
    """A clip made longer: the model paints on where it ends."""

    mode: Literal["extend"] = "extend"
    init: Picture
    seconds: Float = Field(5.0, gt=0, le=120, description="Seconds to add.")


class Loop(Prompted):
    """A clip that repeats without a seam: its join is painted anew and its length is a whole number of bars."""

    mode: Literal["loop"] = "loop"
    prompt: Text = Field("", description="What to paint at the join.")
    init: Picture
    bars: Annotated[Int, Field(ge=1, le=64)] | None = Field(None, description="Bars to keep; left out, all.")
    bpm: Annotated[Float, Field(ge=30, le=300)] | None = Field(
        None, description="Left out, the picture's own, if known."
    )


Request = Annotated[
    TextToAudio | Riff | Interpolate | Inpaint | AudioToAudio | ImageToAudio | AudioToImage | Extend | Loop,
    Field(discriminator="mode"),
]
AnyRequest = TextToAudio | Riff | Interpolate | Inpaint | AudioToAudio | ImageToAudio | AudioToImage | Extend | Loop
MODES: tuple[type[BaseRequest], ...] = (
    TextToAudio, Riff, Interpolate, Inpaint, AudioToAudio, ImageToAudio, AudioToImage, Extend, Loop,
)  # fmt: skip
