"""Spectrogram pictures as arrays that the model can paint on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from riffusion.errors import FieldError, InvalidRequest
from riffusion.geometry import SpectrogramParams, from_exif, to_exif
from riffusion.requests import MAX_WIDTH, too_wide
from riffusion.spectrogram.picture_file import open_picture, with_exif

HEIGHT = 512
TILE = 64
"""Widths that the UNet can halve often enough are multiples of this."""
NARROWEST = 128
SILENCE = 255

_BPM, _BEATS = "BPM", "Beats per bar"  # names of text chunks
_FASTEST, _LONGEST_BAR = 1000, 64

Grey = npt.NDArray[np.uint8]
"""Grey levels [H, W]; 255 is silence."""
Mask = npt.NDArray[np.bool_]
"""[H, W], true where to paint."""


def invalid(field: str, message: str) -> InvalidRequest:
    """The error of one field that only the inputs show to be wrong."""
    error: FieldError = {"field": field, "message": message}
    return InvalidRequest([error])


@dataclass(frozen=True)
class Tempo:
    """What a picture tells of its rhythm."""

    bpm: float
    beats_per_bar: int = 4


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture of 512 rows and any number of columns."""

    pixels: npt.NDArray[np.uint8]
    """[C, 512, W]: one channel is grey, two are left and right."""
    params: SpectrogramParams
    tempo: Tempo | None = None

    @classmethod
    def open(cls, data: bytes) -> Self:
        """A picture file of any size: scaled in proportion to 512 rows; its EXIF followed where it is ours.

        Raises:
            UnreadableMedia: as `open_picture`.
        """
        picture = open_picture(data)
        return cls.of(picture, _tempo(picture.info))

    @classmethod
    def of(cls, picture: Image.Image, tempo: Tempo | None = None) -> Self:
        """A picture in mode L or RGB. Colours count by their luminance, unless EXIF says that they are two channels."""
        params = replace(from_exif(picture.getexif()), frequencies=HEIGHT)
        picture = picture.convert("RGB" if params.stereo else "L")
        if picture.height != HEIGHT:
            columns = max(1, round(picture.width * HEIGHT / picture.height))
            picture = picture.resize((columns, HEIGHT), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture)
        channels = np.moveaxis(pixels[..., 1:], -1, 0) if params.stereo else pixels[None]
        return cls(np.ascontiguousarray(channels), params, tempo)

    @classmethod
    def blank(cls, grey: Grey, like: "Canvas | None" = None) -> Self:
        """A mono canvas with what the model painted; scale and tempo are those of `like`, or the model's own."""
        params = replace(like.params, stereo=False) if like else SpectrogramParams()
        return cls(grey[None], params, like.tempo if like else None)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[2])

    @property
    def stereo(self) -> bool:
        """Whether it has two channels."""
        return len(self.pixels) > 1

    @property
    def grey(self) -> Grey:
        """[512, W] as the model sees it: both channels' mean."""
        mixed: Grey = self.pixels.mean(0).round().astype(np.uint8) if self.stereo else self.pixels[0]
        return mixed

    def columns(self, seconds: float) -> float:
        """Seconds as columns of this picture."""
        return seconds * 1000 / self.params.step_ms

    def pasted(self, grey: Grey, mask: Mask) -> "Canvas":
        """With every channel replaced by `grey` where the mask is true, and exactly as it was elsewhere."""
        return replace(self, pixels=np.where(mask, grey, self.pixels))

    def cropped(self, first: int, last: int) -> "Canvas":
        """The columns from `first` up to `last`."""
        return replace(self, pixels=self.pixels[:, :, first:last])

    def texts(self) -> dict[str, str]:
        """Text chunks to write into the PNG, so that a picture made from this one knows its tempo too."""
        return {_BPM: f"{self.tempo.bpm:g}", _BEATS: str(self.tempo.beats_per_bar)} if self.tempo else {}

    def image(self) -> Image.Image:
        """The picture with its EXIF: mode L, or RGB with red black, green left and blue right."""
        if not self.stereo:
            picture = Image.fromarray(np.ascontiguousarray(self.pixels[0]))
        else:
            picture = Image.fromarray(np.stack((np.zeros_like(self.pixels[0]), *self.pixels), axis=-1))
        return with_exif(picture, to_exif(replace(self.params, stereo=self.stereo)))


def padded_width(columns: int) -> int:
    """Columns that the model paints for a picture of so many: the next multiple of 64, at least 128."""
    return max(NARROWEST, -(-columns // TILE) * TILE)


def pad(grey: Grey, width: int) -> Grey:
    """[512, W] continued to the right by its own mirror image: the model sees no edge, and the tempo stays."""
    missing = width - grey.shape[1]
    mode = "symmetric" if grey.shape[1] > 1 else "edge"
    padded: Grey = np.pad(grey, ((0, 0), (0, missing)), mode=mode)  # type: ignore[call-overload]
    return padded


def check_width(canvas: Canvas, field: str) -> None:
    """Refuses a picture that is too wide to paint in one go.

    Raises:
        InvalidRequest: naming the field.
    """
    if canvas.width > MAX_WIDTH:
        raise too_wide(canvas.width, field)


def _tempo(info: Mapping[Any, Any]) -> Tempo | None:
    """From the text chunks that `Canvas.texts` and the built-in seed images have."""
    try:
        tempo = Tempo(float(info[_BPM]), int(info.get(_BEATS, 4)))
    except (KeyError, ValueError, TypeError):
        return None
    return tempo if 0 < tempo.bpm <= _FASTEST and 0 < tempo.beats_per_bar <= _LONGEST_BAR else None
