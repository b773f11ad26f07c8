"""Sizes of what requests start from and of what they make: what the API checks before and the worker cuts after."""

from collections.abc import Mapping
from dataclasses import dataclass

from riffusion.errors import InvalidRequest
from riffusion.geometry import CLIP_COLUMNS, MAX_WIDTH, ROWS

OVERLAP_COLUMNS = 128
"""That neighbouring windows of a long clip share."""
CONTEXT_COLUMNS = 256
"""Of a clip's end that the model sees while it continues the clip."""


@dataclass(frozen=True)
class InputSize:
    """The size of a picture or sound that a request names."""

    columns: int = CLIP_COLUMNS
    """Of the picture at 512 rows, or of the sound's picture."""
    channels: int = 1
    """1 or 2."""


Sizes = Mapping[str, InputSize]
"""By dotted field, of each picture and sound that a request names."""
CLIP_SIZE = InputSize()
"""Of a clip as the model paints it, and of the built-in seed images."""


def too_short(field: str) -> InvalidRequest:
    """The error of a clip of one column, which lasts no time."""
    return InvalidRequest([{"field": field, "message": "would make a picture of one column; a sound needs two"}])


def too_wide(columns: int, field: str) -> InvalidRequest:
    """The error of a picture that is too wide to be painted in one go."""
    message = (
        f"the picture has {columns} columns at {ROWS} rows; this mode paints at most {MAX_WIDTH} "
        "(audio-to-audio takes longer clips)"
    )
    return InvalidRequest([{"field": field, "message": message}])
