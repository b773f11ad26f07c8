"""Sound to picture and back."""

from collections.abc import Iterable, Iterator
from typing import Literal

from PIL import Image
from torch import Tensor

from riffusion.spectrogram.params import SpectrogramParams

Quality = Literal["draft", "standard", "best"]
Method = Literal["pghi", "griffin-lim"]


class SpectrogramCodec:
    """Encodes waves as pictures and reconstructs waves from pictures. Deterministic and safe to share among threads."""

    def __init__(
        self,
        params: SpectrogramParams = SpectrogramParams(),  # noqa: B008  frozen
        *,
        method: Method = "pghi",
        quality: Quality = "standard",
    ) -> None:
        raise NotImplementedError

    def warm_up(self) -> None:
        """Compiles and caches what decoding needs, so that the first clip is as fast as the next."""

    def encode(self, wave: Tensor, *, loop: bool = False) -> Image.Image:
        """Picture of a wave, its EXIF in `picture.getexif()` (save it with `write_png`).

        Args:
            wave: [C, T] in +-1 at `params.sample_rate`; one channel gives a grey picture, two a stereo one.
            loop: take the wave as a circle; T must then be a whole number of steps.
        """
        raise NotImplementedError

    def decode(self, picture: Image.Image, *, loop: bool = False, samples: int | None = None) -> Tensor:
        """Wave [C, T] of a picture, float32; levels are those that its max value tells (normalise before writing).

        Args:
            picture: any size and mode; resized to the band count; its EXIF is followed where present.
            loop: the end flows into the beginning and T is columns * hop (512 columns: 5.12 s).
            samples: cut or pad to this length; default (columns - 1) * hop (512 columns: 5.11 s).
        """
        raise NotImplementedError

    def decode_run(self, pictures: Iterable[Image.Image]) -> Iterator[Tensor]:
        """One continuous sound for pictures that follow each other, a piece [C, t] for each as soon as it is known.

        The concatenated pieces have (all columns - 1) * hop samples; no piece changes once given.
        """
        raise NotImplementedError
