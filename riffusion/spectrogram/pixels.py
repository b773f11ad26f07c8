"""Mel magnitudes as pixels and back: 255 - 255 * (magnitude / max_value) ** power, low frequencies at the bottom."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from riffusion.geometry import SpectrogramParams, to_exif
from riffusion.spectrogram.picture_file import with_exif

Mel = npt.NDArray[np.float32]
_WHITE = 255


def picture_from_mel(mel: Mel, params: SpectrogramParams) -> Image.Image:
    """Picture of mel magnitudes [C, frequencies, columns] in the units of `params.max_value`; C is 1 or 2.

    Pixels are rounded towards dark, as the original does: equal sounds give equal pictures. One channel gives mode L,
    two give RGB with red black, green left and blue right.
    """
    loudness = np.clip(mel / np.float32(params.max_value), 0, 1) ** np.float32(params.power)
    pixels = (_WHITE - _WHITE * loudness).astype(np.uint8)[:, ::-1]
    if len(pixels) == 1:
        picture = Image.fromarray(np.ascontiguousarray(pixels[0]))
    else:
        picture = Image.fromarray(np.stack([np.zeros_like(pixels[0]), pixels[0], pixels[1]], axis=-1))
    return with_exif(picture, to_exif(params))


def mel_from_picture(picture: Image.Image, params: SpectrogramParams) -> Mel:
    """Mel magnitudes [C, frequencies, columns] of a picture; C is 2 if `params.stereo`, else 1.

    Colours of a mono picture count by their luminance. A picture of another height is resized to `params.frequencies`
    rows in proportion. Rounding lost half a level on average, which is added back; white stays exactly silent.
    """
    picture = picture.convert("RGB" if params.stereo else "L")
    if picture.height != params.frequencies:
        columns = max(1, round(picture.width * params.frequencies / picture.height))
        picture = picture.resize((columns, params.frequencies), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture)[::-1]
    pixels = np.moveaxis(pixels[..., 1:], -1, 0) if params.stereo else pixels[None]
    levels = np.arange(_WHITE + 1, dtype=np.float64)
    magnitudes = np.where(levels < _WHITE, (_WHITE - levels - 0.5) / _WHITE, 0) ** (1 / params.power) * params.max_value
    return np.ascontiguousarray(magnitudes.astype(np.float32)[pixels])
