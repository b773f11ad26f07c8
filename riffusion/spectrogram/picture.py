"""Picture files from outside: bounded before anything is decoded. Pillow only, so that the API can look too."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

MAX_PIXELS = 16_777_216  # 4096 x 4096; 20 minutes of spectrogram at 512 rows is 61 million columns' worth less


@dataclass(frozen=True)
class ImageInfo:
    """What a picture is, read from its header."""

    width: int
    height: int
    format: str


def probe_image(data: bytes | Path) -> ImageInfo:
    """Size of a picture that `open_picture` will take; its pixels are decoded once to see that they are all there.

    Raises:
        UnreadableMedia: no picture, damaged, of a format we don't take, or over `MAX_PIXELS`.
    """
    raise NotImplementedError


def open_picture(data: bytes | Path) -> Image.Image:
    """A picture as mode L or RGB, its EXIF kept (`picture.getexif()`), the first frame of an animation.

    Raises:
        UnreadableMedia: as `probe_image`.
    """
    raise NotImplementedError


def write_png(picture: Image.Image, recipe: object = None) -> bytes:
    """A picture as PNG with its EXIF, and the request that made it, if given, as JSON in the text chunk `recipe`."""
    raise NotImplementedError
