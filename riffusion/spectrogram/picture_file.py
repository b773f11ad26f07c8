"""Picture files: bounded before anything is decoded, written with what made them. Pillow only: the API imports it."""

import io
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from riffusion.errors import UnreadableMedia
from riffusion.geometry import ROWS
from riffusion.requests.title import title
from riffusion.spectrogram.exif import with_exif

MAX_PIXELS = 1 << 25  # eleven minutes at 512 rows
FORMATS = ("PNG", "WEBP", "JPEG", "GIF", "BMP", "TIFF")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
RECIPE = "recipe"  # name of the text that holds the request, here and in audio files
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError,
           struct.error, zlib.error, Image.DecompressionBombError)  # fmt: skip  # what Pillow's readers raise


@dataclass(frozen=True)
class ImageInfo:
    """What a picture's header says."""

    width: int
    height: int
    format: str
    """One of `FORMATS`."""


def probe_image(data: bytes | Path) -> ImageInfo:
    """Size of a picture that `open_picture` will take. Its pixels are decoded once to see that they are all there.

    Raises:
        UnreadableMedia: no picture, damaged, of a format that isn't taken, or over `MAX_PIXELS`, as it is or
            scaled to `ROWS` rows.
    """
    with _opened(data) as image:
        image.load()
        return ImageInfo(image.width, image.height, str(image.format))


def open_picture(data: bytes | Path) -> Image.Image:
    """A picture in mode L or RGB, upright, its EXIF kept (`picture.getexif()`); the first frame of an animation.

    What is transparent becomes white, which is silence.

    Raises:
        UnreadableMedia: as `probe_image`.
    """
    with _opened(data) as image:
        image.load()
        return with_exif(_plain(ImageOps.exif_transpose(image)), image.getexif())


def write_png(picture: Image.Image, recipe: Mapping[str, Any] | None = None, **texts: str) -> bytes:
    """A picture as PNG with its EXIF, and the request that made it, if given, as JSON in the text chunk `recipe`.

    Further keywords become text chunks of those names.
    """
    chunks = PngImagePlugin.PngInfo()
    if recipe is not None:
        if clip_title := title(recipe):
            texts.setdefault("Title", clip_title)
        texts[RECIPE] = json.dumps(recipe)
    for name, text in texts.items():
        chunks.add_itxt(name, text)
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=chunks, exif=picture.getexif(), compress_level=6)
    return file.getvalue()


def read_png_recipe(data: bytes) -> str:
    """The text of `recipe` in a PNG; empty if there is none.

    Raises:
        UnreadableMedia: as `probe_image`.
    """
    with _opened(data) as image:
        image.load()
        return str(getattr(image, "text", {}).get(RECIPE, ""))


@contextmanager
def _opened(data: bytes | Path) -> Iterator[Image.Image]:
    """Pillow's lazy image, its size already checked; any error of its readers becomes `UnreadableMedia`."""
    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data, formats=FORMATS) as image:
            _check_size(image.width, image.height)
            yield image
    except UnidentifiedImageError:
        raise UnreadableMedia(
            "The file isn't a picture that can be read: send a PNG, WebP, JPEG, GIF, BMP or TIFF file."
        ) from None
    except _DAMAGE:
        raise UnreadableMedia("The picture is damaged or truncated.") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadableMedia(f"The picture has {width} x {height} pixels; at most {MAX_PIXELS} are taken.")
    columns = width * ROWS // max(height, 1)
    if columns * ROWS > MAX_PIXELS:  # few pixels, but many once a line of them is scaled to all rows
        raise UnreadableMedia(
            f"At {ROWS} rows the picture has {columns} columns; at most {MAX_PIXELS // ROWS} are taken."
        )


def _plain(image: Image.Image) -> Image.Image:
    """An image of any mode as L or RGB."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value * (1 / 256) + 0).convert("L")
    if image.mode in ("I", "F"):
        raise UnreadableMedia("The picture has 32-bit pixels, whose range isn't known: send 8 or 16 bits a channel.")
    if image.mode in ("L", "1"):
        return image.convert("L")
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
