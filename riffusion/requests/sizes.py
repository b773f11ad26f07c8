"""Sizes of what requests start from and of what they make: what the API checks before and the worker cuts after."""

import math
from dataclasses import dataclass

from riffusion.errors import InvalidRequest
from riffusion.requests.base import MAX_WIDTH, AnyRequest, Extend, Inpaint, Interpolate, Riff, TextToAudio

COLUMNS_PER_S = 100
CLIP_SECONDS = 5.12  # 512 columns
OVERLAP_SECONDS = 1.28  # that neighbouring windows of a long clip share
CONTEXT_SECONDS = 2.56  # of a clip's end that the model sees while it paints on

_CLIP_COLUMNS = round(COLUMNS_PER_S * CLIP_SECONDS)


@dataclass(frozen=True)
class InputSize:
    """The picture or sound that a request starts from (`init`, `image` or `clip`)."""

    columns: int = _CLIP_COLUMNS
    """Of the picture at 512 rows, or of the sound's picture."""
    channels: int = 1
    """1 or 2."""


CLIP_SIZE = InputSize()
"""Of a clip as the model paints it, and of the built-in seed images."""


def columns_of(seconds: float) -> int:
    """Columns of a sound's picture, which begins and ends with one."""
    return 1 + math.ceil(COLUMNS_PER_S * seconds)


def made_columns(request: AnyRequest, size: InputSize) -> int:
    """Columns of the picture that a request makes; of a loop, as many as it may keep."""
    match request:
        case TextToAudio():
            return request.width
        case Interpolate():
            return (request.clips or 1) * (size.columns if request.init else _CLIP_COLUMNS)
        case Extend():
            return size.columns + round(COLUMNS_PER_S * request.seconds)
        case _:
            return size.columns


def painted_at_once(request: AnyRequest) -> bool:
    """Whether the model paints the whole width of its initial picture in one go, so that `MAX_WIDTH` holds."""
    return isinstance(request, Riff | Inpaint) or (isinstance(request, Interpolate) and request.init is not None)


def too_wide(columns: int, field: str) -> InvalidRequest:
    """The error of a picture that is too wide to be painted in one go."""
    message = (
        f"the picture has {columns} columns at 512 rows; this mode paints at most {MAX_WIDTH} "
        "(audio-to-audio takes longer clips)"
    )
    return InvalidRequest([{"field": field, "message": message}])
