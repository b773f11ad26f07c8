"""A spectrogram as a picture: what the model paints on, what the codec turns into sound, and what a PNG file holds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from riffusion.geometry import ROWS, SpectrogramParams, scaled_width
from riffusion.spectrogram.exif import from_exif, to_exif, with_exif
from riffusion.spectrogram.picture_file import open_picture, write_png
from riffusion.spectrogram.pixels import SILENCE, Pixels

Grey = npt.NDArray[np.uint8]
"""Levels [rows, columns] of one channel; 255 is silence."""
Mask = npt.NDArray[np.bool_] | npt.NDArray[np.float32]
"""[rows, columns]: 1 or true where to paint, 0 what to keep, and between them how strongly to paint."""

_BPM, _BEATS = "BPM", "Beats per bar"  # names of text chunks
_MAX_BPM, _MAX_BEATS = 1000, 64


@dataclass(frozen=True)
class Tempo:
    """The rhythm of a picture's sound."""

    bpm: float
    """Beats per minute, over 0 and at most 1000."""
    beats_per_bar: int = 4
    """1 to 64."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """A spectrogram's pixels, their geometry and scale, and its tempo where it is known."""

    pixels: Pixels
    """[C, rows, columns]: one channel is grey, two are left and right."""
    params: SpectrogramParams
    tempo: Tempo | None = None

    @classmethod
    def open(cls, data: bytes) -> Self:
        """A picture file of any size, scaled in proportion to `ROWS` rows, with the parameters and tempo it carries.

        Raises:
            UnreadableMedia: as `open_picture` and `from_exif`.
        """
        picture = open_picture(data)
        return cls.of(picture, _tempo(picture.info))

    @classmethod
    def of(cls, picture: Image.Image, tempo: Tempo | None = None) -> Self:
        """A picture in mode L or RGB, scaled in proportion to `ROWS` rows.

        Colours count by their luminance, unless EXIF says that green and blue are two channels.

        Raises:
            UnreadableMedia: as `from_exif`.
        """
        params = replace(from_exif(picture.getexif()), frequencies=ROWS)
        picture = picture.convert("RGB" if params.stereo else "L")
        if picture.height != ROWS:
            size = (scaled_width(picture.width, picture.height), ROWS)
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        levels = np.asarray(picture)
        channels = np.moveaxis(levels[..., 1:], -1, 0) if params.stereo else levels[None]
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
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[1])

    @property
    def stereo(self) -> bool:
        """Whether it has two channels."""
        return len(self.pixels) > 1

    @property
    def silent(self) -> bool:
        """Whether it is white."""
        return bool((self.pixels == SILENCE).all())

    @property
    def grey(self) -> Grey:
        """[rows, columns] as the model sees it: the mean of both channels."""
        mixed: Grey = self.pixels.mean(0).round().astype(np.uint8) if self.stereo else self.pixels[0]
        return mixed

    def pasted(self, grey: Grey, mask: Mask) -> "Canvas":
        """With every channel replaced by `grey` wherever it is painted, and exactly as it was where the mask is 0.

        `grey` is a mix of both already where the mask is between 0 and 1.
        """
        return replace(self, pixels=np.where(mask > 0, grey, self.pixels))

    def cropped(self, first: int, last: int) -> "Canvas":
        """The columns from `first` up to `last`."""
        return replace(self, pixels=self.pixels[:, :, first:last])

    def image(self) -> Image.Image:
        """The picture with its EXIF: mode L, or RGB with red black, green left and blue right."""
        if not self.stereo:
            picture = Image.fromarray(np.ascontiguousarray(self.pixels[0]))
        else:
            picture = Image.fromarray(np.stack((np.zeros_like(self.pixels[0]), *self.pixels), axis=-1))
        return with_exif(picture, to_exif(replace(self.params, stereo=self.stereo)))

    def png(self, recipe: Mapping[str, Any] | None = None) -> bytes:
        """The PNG file that `open` reads back exactly; with the request that made it, if given, in its text chunks."""
        texts = {_BPM: f"{self.tempo.bpm:g}", _BEATS: str(self.tempo.beats_per_bar)} if self.tempo else {}
        return write_png(self.image(), recipe, **texts)


def pad(grey: Grey, width: int) -> Grey:
    """[rows, width], continued to the right by its own mirror image: the model sees no edge, and the tempo stays."""
    missing = width - grey.shape[1]
    mode = "symmetric" if grey.shape[1] > 1 else "edge"
    padded: Grey = np.pad(grey, ((0, 0), (0, missing)), mode=mode)  # type: ignore[call-overload]
    return padded


def _tempo(texts: Mapping[Any, Any]) -> Tempo | None:
    """The tempo in the text chunks that `Canvas.png` writes and the built-in seed images have; None without one."""
    try:
        tempo = Tempo(float(texts[_BPM]), int(texts.get(_BEATS, 4)))
    except (KeyError, ValueError, TypeError):
        return None
    return tempo if 0 < tempo.bpm <= _MAX_BPM and 0 < tempo.beats_per_bar <= _MAX_BEATS else None
