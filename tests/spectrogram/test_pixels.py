import numpy as np

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram.pixels import mel_from_pixels, pixels_from_mel

PARAMS = SpectrogramParams(frequencies=4, max_value=1000.0)
RAMP = np.arange(256, dtype=np.uint8).reshape(1, 4, 64)


def original_pixels(mel: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[list[int]]:
    """The original's formula for one channel: loud is dark, the lowest band is the last row, fractions are dropped."""
    return [[int(255 - 255 * (value / 1000) ** 0.25) for value in row] for row in mel[::-1]]


def test_pixels_are_the_originals() -> None:
    mel = np.linspace(0, 1000, 24, dtype=np.float32).reshape(1, 4, 6)
    pixels = pixels_from_mel(mel, PARAMS)
    assert pixels.dtype == np.uint8
    assert pixels[0].tolist() == original_pixels(mel[0])


def test_every_level_comes_back_to_itself() -> None:
    assert np.array_equal(pixels_from_mel(mel_from_pixels(RAMP, PARAMS), PARAMS), RAMP)


def test_white_is_silence() -> None:
    assert not mel_from_pixels(np.full((2, 4, 3), 255, np.uint8), PARAMS).any()
