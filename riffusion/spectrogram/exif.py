"""The EXIF tags of a spectrogram picture, which hold its geometry and scale: how they are written and read.

The tags and their numbers are the original Riffusion's, so that its pictures open here and ours there.
"""

import math
from dataclasses import replace
from typing import Any

from PIL import Image

from riffusion.geometry import DEFAULT, SpectrogramParams
from riffusion.spectrogram.bands import check_bands

# Tag -> field, and the range outside of which a value is foreign.
_TAGS: dict[int, tuple[str, float, float]] = {
    11000: ("sample_rate", 8_000, 192_000),
    11005: ("stereo", 0, 1),
    11010: ("step_ms", 1, 100),
    11020: ("window_ms", 2, 1_000),
    11030: ("padded_ms", 2, 2_000),
    11040: ("frequencies", 16, 4_096),
    11050: ("min_hz", 0, 96_000),
    11060: ("max_hz", 1, 96_000),
    11070: ("power", 0.01, 4),
    11080: ("max_value", 1e-6, 1e15),
}

_MAX_OVERLAP = 32  # windows over one sample
_MAX_PADDING = 8  # times the window
_ORIENTATION = 0x0112


def to_exif(params: SpectrogramParams) -> Image.Exif:
    """The tags of a picture with these parameters."""
    exif = Image.Exif()
    for tag, (field, _, _) in _TAGS.items():
        exif[tag] = getattr(params, field)
    return exif


def from_exif(exif: Image.Exif) -> SpectrogramParams:
    """The parameters that a picture's tags hold; the default for each that is missing, foreign or out of range.

    Tags that contradict each other are ignored altogether.

    Raises:
        UnreadableMedia: as `check_bands`, at the sample rate of the sound that is made.
    """
    found: dict[str, Any] = {}
    for tag, (field, low, high) in _TAGS.items():
        value = _number(exif.get(tag))
        if value is not None and low <= value <= high:
            found[field] = type(getattr(DEFAULT, field))(value)
    params = replace(DEFAULT, **found)
    if not _consistent(params):
        return DEFAULT
    check_bands(replace(params, sample_rate=DEFAULT.sample_rate))
    return params


def with_exif(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    """A copy of an upright picture whose EXIF survives Pillow's operations (`crop`, `resize`, `convert`)."""
    exif.pop(_ORIENTATION, None)
    copy = picture.copy()
    copy.info["exif"] = exif.tobytes()
    return copy


def _number(value: object) -> float | None:
    """A tag's value as a finite number; None where it is none. Cameras write rationals and strings, too."""
    try:
        number = float(value)  # type: ignore[arg-type]  # EXIF holds anything
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _consistent(params: SpectrogramParams) -> bool:
    """Whether a sound could have been analysed so; the limits keep a picture from asking for hours of work."""
    return (
        params.min_hz < params.max_hz <= params.sample_rate / 2
        and params.step_ms * 2 <= params.window_ms <= params.step_ms * _MAX_OVERLAP
        and params.window_ms <= params.padded_ms <= params.window_ms * _MAX_PADDING
    )
