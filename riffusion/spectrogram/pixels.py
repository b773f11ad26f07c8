"""Mel magnitudes as pixels and back: 255 - 255 * (magnitude / max_value) ** power, low frequencies at the bottom."""

import numpy as np
import numpy.typing as npt

from riffusion.geometry import SpectrogramParams

Mel = npt.NDArray[np.float32]
"""Mel magnitudes [C, bands, columns], the lowest band first, in the units of `SpectrogramParams.max_value`."""
Pixels = npt.NDArray[np.uint8]
"""Levels [C, rows, columns], the lowest band last; C is 1, or 2 for left and right. 0 is loudest."""

SILENCE = 255
"""The level of a magnitude of 0: white."""


def pixels_from_mel(mel: Mel, params: SpectrogramParams) -> Pixels:
    """Levels of magnitudes, rounded down, towards dark, as the original does: equal sounds give equal pictures."""
    loudness = np.clip(mel / np.float32(params.max_value), 0, 1) ** np.float32(params.power)
    return np.ascontiguousarray((SILENCE - SILENCE * loudness).astype(np.uint8)[:, ::-1])


def peak_magnitude(pixels: Pixels, params: SpectrogramParams) -> float:
    """Magnitude of the darkest pixel; 0 for a picture of silence. Other than in a `Mel`, it is never rounded to 0."""
    return float(_magnitudes(params)[pixels.min()])


def mel_from_pixels(pixels: Pixels, params: SpectrogramParams) -> Mel:
    """Magnitudes of levels. Rounding down lost half a level on average, which is added back; white stays silent."""
    magnitudes = np.minimum(_magnitudes(params), np.finfo(np.float32).max).astype(np.float32)
    return np.ascontiguousarray(magnitudes[pixels[:, ::-1]])


def _magnitudes(params: SpectrogramParams) -> npt.NDArray[np.float64]:
    """[256], of each level."""
    levels = np.arange(SILENCE + 1, dtype=np.float64)
    loudness = np.where(levels < SILENCE, (SILENCE - levels - 0.5) / SILENCE, 0)
    return loudness ** (1 / params.power) * params.max_value
