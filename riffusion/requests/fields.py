"""The field types that requests are made of, with their limits."""

import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

MAX_PROMPT_CHARS = 2000
MAX_SEED = 2**32 - 1
MAX_GUIDANCE = 30
MAX_LORAS = 4
MAX_LORA_WEIGHT = 2

_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"


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


def _web_address(value: str) -> str:
    """An absolute address without user and fragment: neither has a meaning where something is sent to it."""
    try:
        url = urlsplit(value)
        fits = url.scheme in ("http", "https") and url.hostname and url.port != 0 and "@" not in url.netloc
    except ValueError:
        fits = False
    if not fits or "#" in value or not all("!" <= char <= "~" for char in value):
        raise PydanticCustomError("web_address", "must be an absolute https:// address, in ASCII")
    return value


Float = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Int = Annotated[int, BeforeValidator(_number)]
Text = Annotated[
    str, Field(max_length=MAX_PROMPT_CHARS), BeforeValidator(lambda v: _utf8(v) if isinstance(v, str) else v)
]
Seed = Annotated[Int, Field(ge=0, le=MAX_SEED, description="Left out, it is drawn, and the job says which it was.")]
Name = Annotated[str, Field(pattern=_NAME)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
Denoising = Annotated[Float, Field(ge=0, le=1, description="0 keeps the initial picture, 1 ignores it.")]
Guidance = Annotated[
    Float,
    Field(
        ge=0,
        le=MAX_GUIDANCE,
        description="Classifier-free guidance scale; 1 or less turns it off. Left out, the model's.",
    ),
]
GuidanceEnd = Annotated[
    Float,
    Field(
        gt=0,
        le=1,
        description=(
            "Share of the steps taken, from the first on, that are guided, at least one; the others are half the work. "
            "Left out, all are, unless the quality says otherwise."
        ),
    ),
]
LoraWeight = Annotated[Float, Field(ge=-MAX_LORA_WEIGHT, le=MAX_LORA_WEIGHT)]
Loras = Annotated[
    Annotated[
        dict[Name, LoraWeight],
        Field(
            max_length=MAX_LORAS,
            description="LoRAs by name, as `GET /models` lists them, and how strong each is: 1 as trained.",
        ),
    ]
    | None,
    # One form for what is the same request.
    AfterValidator(lambda loras: dict(sorted(loras.items())) if loras else None),
]
Scheduler = Literal["dpm++2m", "ddim", "euler", "euler-a", "pndm", "lcm", "tcd"]
TimestepSpacing = Literal["leading", "linspace", "trailing"]
Quality = Literal["fast", "standard", "best"]
NamedQuality = Annotated[Quality, BeforeValidator(lambda value: "fast" if value == "draft" else value)]
"""In a request, which may have the name that the version before used for fast."""
WebAddress = Annotated[
    str,
    Field(max_length=2000, json_schema_extra={"format": "uri", "pattern": "^https?://"}),
    AfterValidator(_web_address),
]
AudioFormat = Literal["mp3", "wav", "flac", "ogg"]


def is_name(text: str) -> bool:
    """Whether a request may name something so."""
    return re.fullmatch(_NAME, text) is not None


class Model(BaseModel):
    """What every part of a request is: closed to unknown keys, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def parts_of(field: FieldInfo) -> Iterator[Any]:
    """A field's types and the notes on them, out of `Annotated` and unions."""
    yield from field.metadata
    yield from _parts(field.annotation)


def _parts(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        kind, *notes = get_args(annotation)
        yield from notes
        yield from _parts(kind)
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _parts(each)
    else:
        yield annotation


def nested_model(field: FieldInfo) -> type[Model] | None:
    """The model of a field that holds one object of several fields, such as the end of an interpolation."""
    kinds = [part for part in parts_of(field) if isinstance(part, type) and issubclass(part, Model)]
    return kinds[0] if len(kinds) == 1 else None
