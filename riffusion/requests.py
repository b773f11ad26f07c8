"""What can be asked for: one pydantic model per mode, with its limits.

A request is one flat JSON object with a `mode`. `parse` turns outside data into one of the models or raises
`InvalidRequest` naming each field; `with_seed` fills in what was left to chance, so that the stored request says
exactly what was made; `cost` says how much work a request is.
"""

import math
import secrets
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from riffusion.errors import FieldError, InvalidRequest

MAX_PROMPT_CHARS = 2000
MAX_SEED = 2**32 - 1
MAX_CLIPS = 64
REFERENCE_FIELDS = ("init", "image", "clip", "mask")
CLIP_SECONDS = 5.12  # 512 columns of 10 ms


def _number(value: object) -> object:
    """JSON's numbers only: pydantic alone would take true for 1 and "7" for 7."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number_type", "must be a number")
    return value


def _utf8(value: str) -> str:
    """JSON may escape half a surrogate pair, which no file, tag or header can hold."""
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise PydanticCustomError("unicode", "must not contain unpaired surrogates")
    return value


Float = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Int = Annotated[int, BeforeValidator(_number)]
Text = Annotated[
    str, Field(max_length=MAX_PROMPT_CHARS), BeforeValidator(lambda v: _utf8(v) if isinstance(v, str) else v)
]
Seed = Annotated[Int, Field(ge=0, le=MAX_SEED, description="Left out, it is drawn and told in the job.")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
Denoising = Annotated[Float, Field(ge=0, le=1, description="0 keeps the initial picture, 1 ignores it.")]
Guidance = Annotated[Float, Field(ge=0, le=30, description="Classifier-free guidance scale; 1 or less turns it off.")]
Scheduler = Literal["dpm++2m", "ddim", "euler", "euler-a", "pndm"]
AudioFormat = Literal["mp3", "wav", "flac", "ogg"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SeedImage(_Model):
    """One of the built-in seed images, listed by `GET /seeds`."""

    seed_image: Name


class Upload(_Model):
    """A file sent to `POST /uploads` before."""

    upload: Id


class JobResult(_Model):
    """What an earlier job made."""

    job: Id


class MaskBox(_Model):
    """A box of the picture that is painted anew; a side left out spans the whole picture."""

    seconds: tuple[Annotated[Float, Field(ge=0)], Annotated[Float, Field(ge=0)]] | None = None
    hertz: tuple[Annotated[Float, Field(ge=0)], Annotated[Float, Field(ge=0)]] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "MaskBox":
        if self.seconds is None and self.hertz is None:
            raise PydanticCustomError("mask_box", "give seconds, hertz, or both")
        for side in (self.seconds, self.hertz):
            if side is not None and side[0] >= side[1]:
                raise PydanticCustomError("mask_box", "a range must go from low to high")
        return self


def _one_of(*names: str) -> Discriminator:
    """Chooses a reference's model by the one key that is there, so that errors speak of that model alone."""

    def tag(value: object) -> str | None:
        keys = (
            value.keys()
            if isinstance(value, dict)
            else set(type(value).model_fields)
            if isinstance(value, BaseModel)
            else ()
        )
        found = [name for name in names if name in keys]
        return found[0] if len(found) == 1 else None

    return Discriminator(
        tag,
        custom_error_type="reference",
        custom_error_message=f"give an object with one of {', '.join(names)}",
    )


_SeedTag = Annotated[SeedImage, Tag("seed_image")]
_UploadTag = Annotated[Upload, Tag("upload")]
_JobTag = Annotated[JobResult, Tag("job")]
Picture = Annotated[_SeedTag | _UploadTag | _JobTag, _one_of("seed_image", "upload", "job")]
Clip = Annotated[_UploadTag | _JobTag, _one_of("upload", "job")]


def _mask_tag(value: object) -> str:
    keys = value.keys() if isinstance(value, dict) else ()
    return "upload" if "upload" in keys or isinstance(value, Upload) else "box"


Mask = Annotated[_UploadTag | Annotated[MaskBox, Tag("box")], Discriminator(_mask_tag)]


class _Request(_Model):
    model: Name | None = Field(None, description="One of `GET /models`; left out, the server's default.")
    format: AudioFormat = Field("mp3", description="The result's audio format.")


class _Painted(_Request):
    """What every mode that runs the diffusion model shares."""

    negative_prompt: Text = Field("", description="What to steer away from.")
    steps: Int = Field(20, ge=2, le=150, description="Denoising steps of a full run.")
    scheduler: Scheduler = "dpm++2m"


class _Prompted(_Painted):
    prompt: Text = Field(description="What to paint; `(words:1.2)` weighs them.")
    seed: Seed | None = None
    guidance: Guidance = 7.0


class TextToAudio(_Prompted):
    """A clip from a prompt alone."""

    mode: Literal["text-to-audio"] = "text-to-audio"
    width: Int = Field(512, ge=128, le=2048, multiple_of=64, description="Columns of the picture, 10 ms each.")


class Riff(_Prompted):
    """A new clip in the shape of an initial picture (image-to-image)."""

    mode: Literal["riff"] = "riff"
    init: Picture
    denoising: Denoising = 0.75


class InterpolationEnd(_Model):
    """One end of an interpolation."""

    prompt: Text
    seed: Seed | None = None
    denoising: Denoising = 0.75
    guidance: Guidance = 7.0


class Interpolate(_Painted):
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


class Inpaint(_Prompted):
    """Paints part of a picture anew; every other pixel stays exactly as it was."""

    mode: Literal["inpaint"] = "inpaint"
    init: Picture
    mask: Mask = Field(description="White pixels of an uploaded picture, or a box in seconds and hertz.")
    denoising: Denoising = 1.0


class AudioToAudio(_Prompted):
    """A clip of any length sung anew by the model, in overlapping windows."""

    mode: Literal["audio-to-audio"] = "audio-to-audio"
    clip: Clip
    denoising: Denoising = 0.55


class ImageToAudio(_Request):
    """The sound of a picture; a hand-drawn one too."""

    mode: Literal["image-to-audio"] = "image-to-audio"
    image: Picture


class AudioToImage(_Request):
    """The spectrogram of a clip, and the sound that the picture holds."""

    mode: Literal["audio-to-image"] = "audio-to-image"
    clip: Clip


class Extend(_Prompted):
    """A clip made longer: the model paints on where it ends."""

    mode: Literal["extend"] = "extend"
    init: Picture
    seconds: Float = Field(5.0, gt=0, le=120, description="Seconds to add.")


class Loop(_Prompted):
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
MODES: tuple[type[_Request], ...] = (
    TextToAudio, Riff, Interpolate, Inpaint, AudioToAudio, ImageToAudio, AudioToImage, Extend, Loop,
)  # fmt: skip

REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Request)


def parse(data: object) -> AnyRequest:
    """Outside data as a request.

    Raises:
        InvalidRequest: naming each field that is missing, unknown or out of range.
    """
    try:
        return REQUEST.validate_python(data)
    except ValidationError as error:
        raise InvalidRequest([_field_error(item) for item in error.errors(include_url=False)]) from None


def _field_error(item: Any) -> FieldError:
    """pydantic's error with the tags of its unions taken out of the path: a caller knows fields only."""
    place = [str(part) for part in item["loc"]]
    if not place:
        if item["type"] == "union_tag_not_found":
            return {"field": "mode", "message": "is missing"}
        if item["type"] == "union_tag_invalid":
            return {"field": "mode", "message": f"must be one of {item['ctx']['expected_tags']}"}
        return {"field": "", "message": "must be a JSON object with a mode"}
    path: list[str] = []
    skip = True  # the first part is the mode
    for part in place:
        if not skip:
            path.append(part)
        skip = not skip and part in REFERENCE_FIELDS
    return {"field": ".".join(path), "message": item["msg"]}


_M = TypeVar("_M", bound=BaseModel)


def with_seed(request: _M) -> _M:
    """The same request with every seed that was left out drawn."""
    drawn: dict[str, Any] = {}
    for name, field in type(request).model_fields.items():
        value = getattr(request, name)
        if name == "seed" and value is None:
            drawn[name] = secrets.randbelow(MAX_SEED + 1)
        elif field.annotation is InterpolationEnd:
            drawn[name] = with_seed(value)
    return request.model_copy(update=drawn)


Reference = SeedImage | Upload | JobResult


def references(request: AnyRequest) -> dict[str, Reference]:
    """What the request names from elsewhere, by dotted field."""
    found: dict[str, Reference] = {}
    for name in REFERENCE_FIELDS:
        value = getattr(request, name, None)
        if isinstance(value, Reference):
            found[name] = value
    return found


def cost(request: AnyRequest, clip_seconds: float = CLIP_SECONDS) -> float:
    """The work a request is, in denoising steps of a 512-column clip; at least 1.

    `clip_seconds` is the length of the clip it takes in, where it takes one.
    """
    windows = max(1.0, clip_seconds / (CLIP_SECONDS / 2) - 1)
    match request:
        case TextToAudio():
            steps = request.steps * request.width / 512
        case Riff() | Inpaint():
            steps = request.steps * request.denoising
        case Interpolate():
            steps = request.steps * (request.clips or 1)
        case AudioToAudio():
            steps = request.steps * request.denoising * math.ceil(windows)
        case Extend():
            steps = request.steps * math.ceil(request.seconds / (CLIP_SECONDS / 2))
        case Loop():
            steps = request.steps
        case _:
            steps = 1
    return max(1.0, steps)
