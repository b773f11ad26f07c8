"""What the rows, columns and levels of a spectrogram picture stand for, and the sizes that the model paints.

Standard library only: the API and the request models import it.
"""

import math
from dataclasses import dataclass

FULL_SCALE = 32_768.0
"""The original analyses 16-bit samples: `max_value` is in their units."""


@dataclass(frozen=True)
class SpectrogramParams:
    """Geometry and scale of one picture. The defaults are those that the model was trained on."""

    stereo: bool = False
    """Left is the green channel and right the blue one; otherwise the picture is grey."""
    sample_rate: int = 44_100
    """Of the sound, in Hz."""
    step_ms: int = 10
    """Time from one column to the next, in milliseconds."""
    window_ms: int = 100
    """Length of the Hann window, in milliseconds."""
    padded_ms: int = 400
    """Length to which a windowed frame is padded with zeros before the FFT, in milliseconds."""
    frequencies: int = 512
    """Mel bands, which are the rows of the picture, the lowest at the bottom."""
    min_hz: int = 0
    """Lower edge of the lowest band, in Hz."""
    max_hz: int = 10_000
    """Upper edge of the highest band, in Hz."""
    power: float = 0.25
    """A pixel is 255 - 255 * (magnitude / max_value) ** power."""
    max_value: float = 30e6
    """Mel magnitude of a black pixel, for samples in ±`FULL_SCALE`."""

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
        """Length of a picture's sound: columns stand at both of its ends, so 512 columns are 511 steps, 5.11 s.

        A loop has no ends: its last column is one step before its first, and 512 columns are 5.12 s.
        """
        return (columns if loop else columns - 1) * self.hop_length

    def seconds(self, columns: int, *, loop: bool = False) -> float:
        """`samples` in seconds."""
        return self.samples(columns, loop=loop) / self.sample_rate

    def columns(self, samples: int) -> int:
        """Columns that cover a sound of so many samples."""
        return 1 + math.ceil(samples / self.hop_length)

    def column(self, seconds: float) -> float:
        """Position of a moment, in columns from the left edge."""
        return seconds * 1000 / self.step_ms

    def row(self, hertz: float) -> float:
        """Position of a frequency, in rows from the top edge."""
        low, high = hertz_to_mel(self.min_hz), hertz_to_mel(self.max_hz)
        return self.frequencies * (high - hertz_to_mel(hertz)) / (high - low)


DEFAULT = SpectrogramParams()

ROWS = DEFAULT.frequencies
"""Height of the model's pictures; others are scaled to it in proportion."""
COLUMNS_PER_S = 1000 // DEFAULT.step_ms
CLIP_COLUMNS = 512
"""Width of a clip as the model paints it when no other width is asked for."""
WIDTH_STEP = 64
"""Widths that the UNet can halve often enough are multiples of this."""
MIN_WIDTH = 128
MAX_WIDTH = 2048
"""Most columns that the model paints at once."""


def columns_of(seconds: float) -> int:
    """Columns of the picture of a sound, at both of whose ends a column stands."""
    return 1 + math.ceil(COLUMNS_PER_S * seconds)


def scaled_width(width: int, height: int) -> int:
    """Columns of a picture of any size, scaled in proportion to `ROWS` rows; at least 1."""
    return max(1, round(width * ROWS / height))


def padded_width(columns: int) -> int:
    """Columns that the model paints for a picture of so many: the next multiple of `WIDTH_STEP` from `MIN_WIDTH` on."""
    return max(MIN_WIDTH, -(-columns // WIDTH_STEP) * WIDTH_STEP)


def hertz_to_mel(hertz: float) -> float:
    """Mel scale as HTK has it (S. Young et al., "The HTK Book", section 5.6)."""
    return 2595 * math.log10(1 + hertz / 700)


def mel_to_hertz(mel: float) -> float:
    """Inverse of `hertz_to_mel`."""
    return float(700 * (10 ** (mel / 2595) - 1))
