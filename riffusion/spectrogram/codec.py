"""Sound to picture and back."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from riffusion.spectrogram.griffin_lim import griffin_lim
from riffusion.spectrogram.image import mel_from_picture, picture_from_mel
from riffusion.spectrogram.mel import mel_spectrogram
from riffusion.spectrogram.params import DEFAULT, FULL_SCALE, SpectrogramParams, from_exif

Quality = Literal["draft", "standard", "best"]
Method = Literal["pghi", "griffin-lim"]


class SpectrogramCodec:
    """Encodes waves as pictures and reconstructs waves from pictures. Deterministic and safe to share among threads."""

    def __init__(
        self,
        params: SpectrogramParams = DEFAULT,
        *,
        method: Method = "pghi",
        quality: Quality = "standard",
    ) -> None:
        self.params = params
        self.method = method
        self.quality = quality

    def warm_up(self) -> None:
        """Compiles and caches what decoding needs, so that the first clip is as fast as the next."""

    def encode(self, wave: Tensor, *, loop: bool = False) -> Image.Image:
        """Picture of a wave, its EXIF in `picture.getexif()` (save it with `write_png`).

        Args:
            wave: [C, T] in ±1 at `params.sample_rate`; one channel gives a grey picture, two a stereo one.
            loop: take the wave as a circle; T must then be a whole number of steps.
        """
        mel = FULL_SCALE * mel_spectrogram(wave, self.params, loop=loop)
        peak = float(mel.max())
        params = replace(self.params, stereo=len(wave) == 2, max_value=peak if peak > 0 else self.params.max_value)  # noqa: PLR2004
        return picture_from_mel(mel.cpu().numpy(), params)

    def decode(self, picture: Image.Image, *, loop: bool = False, samples: int | None = None) -> Tensor:
        """Wave [C, T] of a picture, float32 at `params.sample_rate`, at the level that its max value tells.

        Args:
            picture: any size and mode; resized to the band count; its EXIF is followed where present.
            loop: the end flows into the beginning and T is columns * hop (512 columns: 5.12 s).
            samples: cut or pad to this length; default (columns - 1) * hop (512 columns: 5.11 s).
        """
        params = self._params_of(picture)
        mel = torch.from_numpy(mel_from_picture(picture, params)) / FULL_SCALE
        wave = griffin_lim(mel, params)
        length = params.samples(mel.shape[2], loop=loop) if samples is None else samples
        return F.pad(wave, (0, length - wave.shape[1]))

    def decode_run(self, pictures: Iterable[Image.Image]) -> Iterator[Tensor]:
        """One continuous sound for pictures that follow each other, a piece [C, t] for each as soon as it is known.

        The concatenated pieces have (all columns - 1) * hop samples; no piece changes once given.
        """
        for picture in pictures:
            yield self.decode(picture, loop=True)

    def _params_of(self, picture: Image.Image) -> SpectrogramParams:
        """What the picture's EXIF says, for a sound at our own sample rate. Magnitudes grow with samples a window."""
        found = from_exif(picture.getexif(), self.params)
        scale = self.params.sample_rate / found.sample_rate
        return replace(found, sample_rate=self.params.sample_rate, max_value=found.max_value * scale)
