"""What a request may name from elsewhere: seed images, uploads, earlier jobs, and masks."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from riffusion.requests.fields import Float, Id, Model, Name

REFERENCE_FIELDS = ("init", "image", "clip", "mask")


class SeedImage(Model):
    """One of the built-in seed images, listed by `GET /seeds`."""

    seed_image: Name


class Upload(Model):
    """A file sent to `POST /uploads` before."""

    upload: Id


class JobResult(Model):
    """What an earlier job made."""

    job: Id


class MaskBox(Model):
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


def _keys(value: object) -> set[str]:
    if isinstance(value, BaseModel):
        return set(type(value).model_fields)
    return set(value) if isinstance(value, dict) else set()


def _one_of(*names: str) -> Discriminator:
    """Chooses a reference's model by the one key that is there, so that errors speak of that model alone."""

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
Picture = Annotated[_SeedTag | _UploadTag | _JobTag, _one_of("seed_image", "upload", "job")]
Clip = Annotated[_UploadTag | _JobTag, _one_of("upload", "job")]


def _mask_tag(value: object) -> str:
    return "upload" if "upload" in _keys(value) else "box"


Mask = Annotated[_UploadTag | Annotated[MaskBox, Tag("box")], Discriminator(_mask_tag)]
Reference = SeedImage | Upload | JobResult


@cache
def _reference_fields(mode: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name in REFERENCE_FIELDS if name in mode.model_fields)


def references(request: BaseModel) -> dict[str, Reference]:
    """What the request names from elsewhere, by dotted field."""
    found: dict[str, Reference] = {}
    for name in _reference_fields(type(request)):
        value = getattr(request, name)
        if isinstance(value, Reference):
            found[name] = value
    return found


def shareable(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request's JSON as anyone may see it, in a file or on a page: without ids of jobs and uploads.

    What is about the job and not about the clip, `fresh` and `webhook`, is left out, too. Whoever has a job's id may
    cancel and delete it, so a clip must not tell the id of the clip it was made from.
    """
    private = {
        name
        for name in REFERENCE_FIELDS
        if isinstance(reference := request.get(name), Mapping) and not reference.keys().isdisjoint(("job", "upload"))
    }
    return {name: value for name, value in request.items() if name not in private | {"fresh", "webhook"}}
