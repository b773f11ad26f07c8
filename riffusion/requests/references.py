"""What a request may name from elsewhere: seed images, uploads, earlier jobs, and masks."""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from riffusion.requests.fields import Float, Id, Model, Name, nested_model, parts_of


class Kind(Enum):
    """What a field names: the note in its type by which such fields are found."""

    PICTURE = "picture"
    SOUND = "sound"
    MASK = "mask"


class SeedImage(Model):
    """One of the seed images: built in, as `GET /seeds` lists them, or the operator's own, which may be a mask."""

    seed_image: Name


class Upload(Model):
    """A file sent to `POST /uploads` before."""

    upload: Id


class JobResult(Model):
    """What an earlier job made."""

    job: Id


class MaskBox(Model):
    """A box of the picture that is painted again; a side left out spans the whole picture."""

    seconds: tuple[Annotated[Float, Field(ge=0)], Annotated[Float, Field(ge=0)]] | None = None
    hertz: tuple[Annotated[Float, Field(ge=0)], Annotated[Float, Field(ge=0)]] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.seconds is None and self.hertz is None:
            raise PydanticCustomError("mask_box", "give seconds, hertz, or both")
        for side in (self.seconds, self.hertz):
            if side is not None and side[0] >= side[1]:
                raise PydanticCustomError("mask_box", "a range must go from low to high")
        return self


def _keys(value: object) -> set[str]:
    if isinstance(value, BaseModel):
        return set(type(value).model_fields)
    return set(value) if isinstance(value, dict) else set()


def _one_of(*names: str) -> Discriminator:
    """Chooses a reference's model by the one key that is there, so that errors are about that model alone."""

    def tag(value: object) -> str | None:
        found = [name for name in names if name in _keys(value)]
        return found[0] if len(found) == 1 else None

    return Discriminator(
        tag,
        custom_error_type="reference",
        custom_error_message=f"give an object with one of {', '.join(names)}",
    )


_SeedTag = Annotated[SeedImage, Tag("seed_image")]
_UploadTag = Annotated[Upload, Tag("upload")]
_JobTag = Annotated[JobResult, Tag("job")]
Picture = Annotated[_SeedTag | _UploadTag | _JobTag, _one_of("seed_image", "upload", "job"), Kind.PICTURE]
Clip = Annotated[_UploadTag | _JobTag, _one_of("upload", "job"), Kind.SOUND]


def _mask_tag(value: object) -> str:
    return next((name for name in ("upload", "seed_image") if name in _keys(value)), "box")


Mask = Annotated[_UploadTag | _SeedTag | Annotated[MaskBox, Tag("box")], Discriminator(_mask_tag), Kind.MASK]
Reference = SeedImage | Upload | JobResult


@cache
def reference_fields(model: type[BaseModel]) -> Mapping[str, Kind]:
    """What each field names that is a reference, by dotted field: those of nested models too."""
    found: dict[str, Kind] = {}
    for name, field in model.model_fields.items():
        kind = next((part for part in parts_of(field) if isinstance(part, Kind)), None)
        inner = nested_model(field)
        if kind is not None:
            found[name] = kind
        elif inner is not None:
            found |= {f"{name}.{each}": kind for each, kind in reference_fields(inner).items()}
    return MappingProxyType(found)


def references(request: BaseModel) -> dict[str, Reference]:
    """What the request names from elsewhere, by dotted field."""
    found: dict[str, Reference] = {}
    for name in reference_fields(type(request)):
        value = attrgetter(name)(request)
        if isinstance(value, Reference):
            found[name] = value
    return found


def shareable(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request's JSON as anyone may see it, in a file or on a page: without ids of jobs and uploads.

    What is about the job and not about the clip, `fresh` and `webhook`, is left out, too. A job's id allows
    canceling and deleting it, so a clip must not give away the id of the clip it was made from. References are
    recognized by their form, so that those of a mode that this version lacks are left out as well.
    """
    public = _without_ids(request)
    return {name: value for name, value in public.items() if name not in ("fresh", "webhook")}


def _without_ids(part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_ids(value) if isinstance(value, Mapping) else value
        for name, value in part.items()
        if not _holds_id(value)
    }


def _holds_id(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(value.get(name), str) for name in ("job", "upload"))
