import numpy as np
import pytest
from PIL import Image

from riffusion.geometry import SpectrogramParams, from_exif
from riffusion.spectrogram.pixels import mel_from_picture, picture_from_mel

PARAMS = SpectrogramParams(frequencies=4, max_value=1000.0)


def original_pixels(mel: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[list[int]]:
    """The original's formula for one channel: loud is dark, the lowest band is the last row, fractions are dropped."""
    return [[int(255 - 255 * (value / 1000) ** 0.25) for value in row] for row in mel[::-1]]


def test_pixels_are_the_originals() -> None:
    mel = np.linspace(0, 1000, 24, dtype=np.float32).reshape(1, 4, 6)
    picture = picture_from_mel(mel, PARAMS)
    assert picture.mode == "L"
    assert np.asarray(picture).tolist() == original_pixels(mel[0])


def test_stereo_is_green_and_blue() -> None:
    mel = np.stack([np.full((4, 2), 1000), np.zeros((4, 2))]).astype(np.float32)
    picture = picture_from_mel(mel, PARAMS)
    assert picture.getpixel((0, 0)) == (0, 0, 255)
    assert mel_from_picture(picture, SpectrogramParams(True, frequencies=4, max_value=1000.0))[1].max() == 0


def test_every_level_comes_back_to_itself() -> None:
    ramp = Image.frombytes("L", (64, 4), bytes(range(256)))
    assert picture_from_mel(mel_from_picture(ramp, PARAMS), PARAMS).tobytes() == ramp.tobytes()


def test_white_is_silence() -> None:
    assert not mel_from_picture(Image.new("L", (3, 4), 255), PARAMS).any()


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_grey_in_any_mode_is_the_same_sound(mode: str) -> None:
    """The original writes RGB, we write L."""
    ramp = Image.frombytes("L", (64, 4), bytes(range(256)))
    assert np.array_equal(mel_from_picture(ramp.convert(mode), PARAMS), mel_from_picture(ramp, PARAMS))


def test_other_heights_are_scaled_in_proportion() -> None:
    assert mel_from_picture(Image.new("L", (30, 8)), PARAMS).shape == (1, 4, 15)


def test_exif_is_on_every_picture() -> None:
    params = SpectrogramParams(frequencies=16, max_value=1000.0)
    assert from_exif(picture_from_mel(np.ones((1, 16, 1), np.float32), params).getexif()) == params
