"""Sound to picture and back."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from riffusion.errors import UnreadableMedia
from riffusion.geometry import DEFAULT, FULL_SCALE, SpectrogramParams, from_exif
from riffusion.spectrogram.grid import Floats, Grid, grid_for
from riffusion.spectrogram.griffin_lim import griffin_lim
from riffusion.spectrogram.mel import mel_spectrogram
from riffusion.spectrogram.pixels import mel_from_picture, picture_from_mel
from riffusion.spectrogram.retrieval import Schedule
from riffusion.spectrogram.retrieval_torch import retrieve
from riffusion.spectrogram.stream import AHEAD, Stream, first_phases, frame_weights, log_magnitudes

Quality = Literal["draft", "standard", "best"]
Method = Literal["pghi", "griffin-lim"]

SCHEDULES: dict[Quality, Schedule] = {
    "draft": Schedule(iterations=4, momentum=0.7, eager=True),
    "standard": Schedule(iterations=11, momentum=0.7, eager=True),
    "best": Schedule(iterations=100, momentum=0.95, eager=False),
}
_STRETCH = 512  # columns retrieved at once, at the end up to twice as many; bounds memory, whatever the length
_STEREO = 2
_REFERENCE_BINS = 1 << 25  # of the reference's STFT: 38 seconds of sound, some 1.4 GB in all


class SpectrogramCodec:
    """Encodes waves as pictures and reconstructs waves from pictures. Deterministic and safe to share among threads.

    `method="griffin-lim"` is the reference, slow and without `quality`, `loop` or runs of pictures of its own; it also
    stands in for pictures whose EXIF gives durations that aren't whole samples. On an accelerator (`device`) a picture
    is retrieved in one piece.
    """

    def __init__(
        self,
        params: SpectrogramParams = DEFAULT,
        *,
        method: Method = "pghi",
        quality: Quality = "standard",
        device: str | torch.device = "cpu",
    ) -> None:
        self.params = params
        self._method = method
        self._schedule = SCHEDULES[quality]
        self._device = torch.device(device)
        self._compiled = self._device.type == "cpu"

    def warm_up(self) -> None:
        """Compiles what decoding needs, or loads it from the cache, so that the first clip is as fast as the next."""
        self.decode(Image.new("L", (2 * AHEAD, self.params.frequencies), "gray"))

    def encode(self, wave: Tensor, *, loop: bool = False) -> Image.Image:
        """Picture of a wave, its EXIF in `picture.getexif()` (save it with `write_png`).

        Args:
            wave: [C, T] in ±1 at `params.sample_rate`; one channel gives a grey picture, two a stereo one. T is at
                least 1.
            loop: take the wave as a circle; T must then be a whole number of steps.
        """
        mel = FULL_SCALE * mel_spectrogram(wave, self.params, loop=loop)
        peak = float(mel.max()) or self.params.max_value
        return picture_from_mel(mel.cpu().numpy(), replace(self.params, stereo=len(wave) == _STEREO, max_value=peak))

    def decode(self, picture: Image.Image, *, loop: bool = False, samples: int | None = None) -> Tensor:
        """Wave [C, T] of a picture, float32 at `params.sample_rate`, at the level that its max value tells.

        Args:
            picture: any size and mode; resized to the band count; its EXIF is followed where present.
            loop: the end flows into the beginning and T is columns * hop (512 columns: 5.12 s).
            samples: cut or pad to this length; default (columns - 1) * hop (512 columns: 5.11 s).

        Raises:
            UnreadableMedia: a long picture whose EXIF only the reference can follow.
        """
        params = self._params_of(picture)
        mel = _mel(picture, params)
        wave = self._wave(mel, params, loop=loop)
        length = params.samples(mel.shape[1], loop=loop) if samples is None else samples
        return F.pad(wave, (0, length - wave.shape[1]))

    def decode_run(self, pictures: Iterable[Image.Image]) -> Iterator[Tensor]:
        """One continuous sound for pictures that follow each other, of one geometry and as many channels.

        Yields a piece [C, t] for each picture before it asks for the next, each 0.1 s behind the picture's end, and
        that rest at last: (all columns - 1) * hop samples together.
        """
        stream: Stream | None = None
        for picture in pictures:
            params = self._params_of(picture)
            grid = grid_for(params)
            if grid is None or self._method == "griffin-lim":
                yield self.decode(picture, samples=params.samples(picture.width, loop=True))
                continue
            stream = stream or Stream(grid, self._schedule, params.max_value / FULL_SCALE)
            mel = _mel(picture, params)
            yield torch.from_numpy(stream.feed(mel))
        if stream:
            yield torch.from_numpy(stream.close(mel[:, :0]))

    def _wave(self, mel: Floats, params: SpectrogramParams, *, loop: bool) -> Tensor:
        """Wave [C, T] of mel magnitudes [C, frames, bands]."""
        grid = grid_for(params)
        full = params.max_value / FULL_SCALE
        if not mel.any():
            return torch.zeros(len(mel), params.samples(mel.shape[1], loop=loop))
        if grid is None or self._method == "griffin-lim":
            _check_size(mel.shape[1], params)
            return griffin_lim(torch.from_numpy(mel).transpose(1, 2), params)
        if not self._compiled:
            return _on_device(mel, grid, self._schedule, full, self._device, loop=loop)
        stream = Stream(grid, self._schedule, full)
        if loop:
            return torch.from_numpy(stream.circle(mel))
        last = max(mel.shape[1] // _STRETCH - 1, 0) * _STRETCH
        stretches = [stream.feed(mel[:, start : start + _STRETCH]) for start in range(0, last, _STRETCH)]
        return torch.from_numpy(np.concatenate([*stretches, stream.close(mel[:, last:])], axis=1))

    def _params_of(self, picture: Image.Image) -> SpectrogramParams:
        """What the picture's EXIF says, for a sound at our own sample rate. Magnitudes grow with samples a window."""
        found = from_exif(picture.getexif(), self.params)
        scale = self.params.sample_rate / found.sample_rate
        return replace(found, sample_rate=self.params.sample_rate, max_value=found.max_value * scale)


def _check_size(columns: int, params: SpectrogramParams) -> None:
    """The reference keeps all of its STFT in memory, several times."""
    if columns * (params.n_fft // 2 + 1) > _REFERENCE_BINS:
        raise UnreadableMedia(
            "the picture's EXIF gives durations that aren't whole samples, and such a picture is reconstructed only if "
            "it is short: save it with a step of 10 ms and a window of 100 ms"
        )


def _mel(picture: Image.Image, params: SpectrogramParams) -> Floats:
    """Mel magnitudes [C, frames, bands] of a picture, for samples in ±1."""
    return np.ascontiguousarray((mel_from_picture(picture, params) / np.float32(FULL_SCALE)).transpose(0, 2, 1))


def _on_device(mel: Floats, grid: Grid, schedule: Schedule, full: float, device: torch.device, *, loop: bool) -> Tensor:
    """The sound by an accelerator; only the phases to start from, which follow each other, are found on the CPU."""
    phases = first_phases(log_magnitudes(mel.mean(axis=0), grid), grid, loop=loop)
    level = np.stack([log_magnitudes(channel, grid) for channel in mel])
    weight = np.stack([frame_weights(channel, full) for channel in mel])
    target, first, start, weights = (torch.from_numpy(array).to(device) for array in (mel, level, phases, weight))
    return retrieve(target, first, start, weights, grid=grid, schedule=schedule, loop=loop).cpu()
