"""What callers hand over, as the server takes it: requests and files."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Literal, TypedDict, cast

from pydantic_core import to_jsonable_python

from riffusion.audio_segment import AudioSegment, wav_of
from riffusion.client.models import ID
from riffusion.errors import NotFound
from riffusion.requests import (
    AnyRequest,
    AudioFormat,
    InterpolationEnd,
    MaskBox,
    Quality,
    Reference,
    Scheduler,
    TimestepSpacing,
    Upload,
)

Mode = Literal[
    "text-to-audio", "riff", "interpolate", "crossfade", "inpaint", "extend", "loop", "audio-to-audio",
    "audio-to-image", "image-to-audio",
]  # fmt: skip
RequestInput = AnyRequest | Mapping[str, Any] | str
"""A request's model, its JSON, or a prompt."""
FileInput = str | os.PathLike[str] | bytes | IO[bytes] | AudioSegment
"""A path, a file's content, a file that is open for reading, or a sound."""
BatchInput = str | os.PathLike[str] | bytes | IO[bytes] | IO[str] | Iterable[RequestInput]
"""JSON lines, as a path, a file's content or a file that is open for reading; or requests, of which those that are
mappings may have an `id`."""
ReferenceInput = Reference | Mapping[str, str]
"""What a request names from elsewhere, as a model or as JSON."""


class Fields(TypedDict, total=False):
    """The fields of all modes; `/openapi.json` says which mode has which, and their limits."""

    mode: Mode
    model: str | None
    format: AudioFormat
    quality: Quality | None
    fresh: bool
    webhook: str | None
    prompt: str
    negative_prompt: str
    seed: int | None
    steps: int | None
    scheduler: Scheduler | None
    timestep_spacing: TimestepSpacing | None
    guidance: float | None
    guidance_end: float | None
    lora: Mapping[str, float] | None
    width: int
    init: ReferenceInput | None
    denoising: float
    start: InterpolationEnd | Mapping[str, Any]
    end: InterpolationEnd | Mapping[str, Any]
    alpha: float | None
    clips: int | None
    mask: Upload | MaskBox | Mapping[str, Any]
    clip: ReferenceInput
    image: ReferenceInput
    seconds: float
    bars: int | None
    bpm: float | None


def request_body(request: RequestInput | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A request's JSON, with `fields` instead of its own; of mode text-to-audio where nothing names one.

    It is the server that checks it, which may be newer than this client.
    """
    given: Mapping[str, Any] = {}
    if isinstance(request, str):
        given = {"prompt": request}
    elif isinstance(request, AnyRequest):
        given = request.model_dump()
    elif request is not None:
        given = request
    body: dict[str, Any] = to_jsonable_python({"mode": "text-to-audio", **given, **fields}, exclude_none=True)
    return {name: value for name, value in body.items() if value is not None}


def request_bodies(requests: Iterable[RequestInput]) -> list[dict[str, Any]]:
    """The JSON of several requests.

    Raises:
        TypeError: it is one request.
    """
    if isinstance(requests, str | Mapping | AnyRequest):  # which can be iterated over as well
        raise TypeError("This call takes several requests; submit takes one.")
    return [request_body(request, {}) for request in requests]


def batch_lines(requests: BatchInput) -> bytes:
    """JSON lines, at once, so that they can be sent again: a file's as they are, or one for each request.

    Raises:
        TypeError: it is one request.
    """
    if isinstance(requests, str | os.PathLike):
        return Path(requests).read_bytes()
    if isinstance(requests, bytes):
        return requests
    if (read := getattr(requests, "read", None)) is not None:
        content: bytes | str = read()
        return content.encode() if isinstance(content, str) else content
    bodies = request_bodies(cast("Iterable[RequestInput]", requests))
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


def checked_id(text: str) -> str:
    """An id as part of an address.

    Raises:
        NotFound: it can't be one, and would lead elsewhere.
    """
    if re.fullmatch(ID, text) is None:
        raise NotFound(f"{text!r} is not the id of a job, an upload or a batch.")
    return text


def file_part(file: FileInput) -> tuple[str, bytes]:
    """The name and the content of a file to upload. It is read at once, so that it can be sent again."""
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        return path.name, path.read_bytes()
    if isinstance(file, bytes):
        return "file", file
    if isinstance(file, AudioSegment):
        return "sound.wav", wav_of(file)
    return "file", file.read()
