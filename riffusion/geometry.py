"""What a spectrogram picture's pixels stand for, and the EXIF tags that say so inside the picture.

The tags and their numbers are the original Riffusion's, so that its pictures open here and ours there.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

FULL_SCALE = 32_768.0  # the original analyses 16-bit samples; a max_value counts in their units


@dataclass(frozen=True)
class SpectrogramParams:
    """Geometry and scale of one picture. The defaults are those that the model was trained on."""

    stereo: bool = False
    """Left is the green channel and right the blue one; otherwise the picture is grey."""
    sample_rate: int = 44_100
    """Of the sound, in Hz."""
    step_ms: int = 10
    """From one column to the next, in milliseconds."""
    window_ms: int = 100
    """Length of the Hann window, in milliseconds."""
    padded_ms: int = 400
    """Length to which a windowed frame is padded with zeros before the FFT, in milliseconds."""
    frequencies: int = 512
    """Mel bands, which are the rows of the picture."""
    min_hz: int = 0
    """Lower edge of the lowest band."""
    max_hz: int = 10_000
    """Upper edge of the highest band."""
    power: float = 0.25
    """A pixel is 255 - 255 * (magnitude / max_value) ** power."""
    max_value: float = 30e6
    """Mel magnitude of a black pixel, for samples of +-32768."""

    @property
    def hop_length(self) -> int:
        """Samples from one column to the next."""
        return self.step_ms * self.sample_rate // 1000

    @property
    def win_length(self) -> int:
        """Samples under the window."""
        return self.window_ms * self.sample_rate // 1000

    @property
    def n_fft(self) -> int:
        """Samples of the padded frame."""
        return self.padded_ms * self.sample_rate // 1000

    def samples(self, columns: int, *, loop: bool = False) -> int:
        """Length of the sound of a picture: frames stand on both ends, so 512 columns are 511 steps, 5.11 s.

        A loop has no ends: its last column is one step before its first, and 512 columns are 5.12 s.
        """
        return (columns if loop else columns - 1) * self.hop_length

    def seconds(self, columns: int, *, loop: bool = False) -> float:
        """`samples` in seconds."""
        return self.samples(columns, loop=loop) / self.sample_rate

    def columns(self, samples: int) -> int:
        """Columns that cover a sound of so many samples."""
        return 1 + math.ceil(samples / self.hop_length)


DEFAULT = SpectrogramParams()

# Tag -> field, in the original's numbers, with the range outside of which a value is not ours.
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

_MOST_OVERLAP = 32  # windows over one sample
_MOST_PADDING = 8  # times the window


def to_exif(params: SpectrogramParams) -> Image.Exif:
    """The tags to save with a picture (`image.save(..., exif=...)`)."""
    exif = Image.Exif()
    for tag, (field, _, _) in _TAGS.items():
        exif[tag] = getattr(params, field)
    return exif


def from_exif(exif: Image.Exif, default: SpectrogramParams = DEFAULT) -> SpectrogramParams:
    """The parameters a picture carries; `default` for each one that is missing, foreign or out of range."""
    found: dict[str, Any] = {}
    for tag, (field, low, high) in _TAGS.items():
        value = _number(exif.get(tag))
        if value is not None and low <= value <= high:
            found[field] = type(getattr(default, field))(value)
    params = replace(default, **found)
    return params if _consistent(params) else default


def _number(value: object) -> float | None:
    """A tag's value as a finite number; rationals and strings from cameras included or refused here."""
    try:
        number = float(value)  # type: ignore[arg-type]  # EXIF holds anything
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _consistent(params: SpectrogramParams) -> bool:
    """Whether a sound could have been analysed so; the last factors keep a picture from asking for hours of work."""
    return (
        params.min_hz < params.max_hz <= params.sample_rate / 2
        and params.step_ms * 2 <= params.window_ms <= params.step_ms * _MOST_OVERLAP
        and params.window_ms <= params.padded_ms <= params.window_ms * _MOST_PADDING
    )
