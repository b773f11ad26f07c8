"""Sound to picture and back."""

import math
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from riffusion.errors import UnreadableMedia
from riffusion.geometry import DEFAULT, FULL_SCALE, SpectrogramParams
from riffusion.requests import Quality
from riffusion.spectrogram.bands import check_bands
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.grid import Floats, grid_for
from riffusion.spectrogram.griffin_lim import griffin_lim
from riffusion.spectrogram.mel import mel_spectrogram
from riffusion.spectrogram.pixels import SILENCE, Pixels, mel_from_pixels, peak_magnitude, pixels_from_mel
from riffusion.spectrogram.retrieval import Schedule
from riffusion.spectrogram.stream import AHEAD, Stream

SCHEDULES: dict[Quality, Schedule] = {
    "fast": Schedule(iterations=4, momentum=0.7, overshoot=True),
    "standard": Schedule(iterations=11, momentum=0.7, overshoot=True),
    "best": Schedule(iterations=100, momentum=0.95, overshoot=False),
}
_STRETCH = 512  # columns retrieved in one pass, at the end up to twice as many; bounds memory, whatever the length
_STEREO = 2
_MAX_REFERENCE_BINS = 1 << 25  # of the reference's STFT: 38 seconds of sound, some 1.4 GB in all
_GREY = 128
_SILENT_PEAK = 2.0**-24  # amplitude of half the least step of 24 bits
_LEAST_DETAIL = 1e-5  # of a wave's amplitude: less is what its window and its rounding leak into other bands
_LEAST_EXPONENT = -64  # of the level, so that float32 holds it
_LOUDEST_FULL = 1e30


class SpectrogramCodec:
    """Encodes waves as pictures and reconstructs waves from pictures. Deterministic, and safe to share among threads.

    Pictures whose durations aren't whole samples are reconstructed by the reference, `griffin_lim`, which is slow and
    has neither quality levels nor loops.
    """

    def __init__(self, params: SpectrogramParams = DEFAULT, *, quality: Quality = "standard") -> None:
        """
        Args:
            params: geometry of the pictures that `encode` makes, and sample rate of the waves that `decode` makes.
            quality: how long phases are iterated.
        """
        self.params = params
        self._schedule = SCHEDULES[quality]

    def warm_up(self) -> None:
        """Compiles what decoding needs, or loads it from the cache, so that the first clip is as fast as the next."""
        self.decode(Canvas(np.full((1, self.params.frequencies, 2 * AHEAD), _GREY, dtype=np.uint8), self.params))

    def encode(self, wave: Tensor, *, loop: bool = False) -> Canvas:
        """Picture of a wave, at a scale on which its loudest magnitude is black.

        It is white for a wave that has nothing in its bands, down to -144 dB, or to 100 dB below the wave's peak.

        Args:
            wave: [C, T] in ±1 at `params.sample_rate`; C is 1 or 2, T at least 1.
            loop: take the wave as a circle; T must then be a whole number of steps.
        """
        mel = FULL_SCALE * mel_spectrogram(wave, self.params, loop=loop)
        params = replace(self.params, stereo=len(wave) == _STEREO)
        shown = float(mel.max()) / (FULL_SCALE * params.win_length / 4)  # the amplitude of a sine of this magnitude
        if shown < max(_SILENT_PEAK, _LEAST_DETAIL * float(wave.abs().max())):
            return Canvas(np.full(mel.shape, SILENCE, dtype=np.uint8), params)
        params = replace(params, max_value=float(mel.max()))
        return Canvas(pixels_from_mel(mel.numpy(), params), params)

    def decode(self, canvas: Canvas, *, loop: bool = False, samples: int | None = None) -> Tensor:
        """Wave [C, T] float32 of a picture at `params.sample_rate`, at the level that its `max_value` stands for.

        Only a white picture is silent; levels that float32 would round to silence are raised.

        Args:
            canvas: of any geometry.
            loop: the end flows into the beginning, and T is columns * hop (512 columns: 5.12 s).
            samples: cut or pad to this length; default (columns - 1) * hop (512 columns: 5.11 s).

        Raises:
            UnreadableMedia: a long picture that only the reference can reconstruct, or as `check_bands`.
        """
        params = self._at_our_rate(canvas.params)
        if canvas.silent:
            wave = torch.zeros(len(canvas.pixels), 0)
        else:
            check_bands(params)
            # Phases are retrieved with the peak near 1, so that no scale over- or underflows; a power of two is exact.
            _, exponent = math.frexp(peak_magnitude(canvas.pixels, params) / FULL_SCALE)
            scaled = replace(params, max_value=math.ldexp(params.max_value, -exponent))
            wave = self._wave(canvas.pixels, scaled, loop=loop) * 2.0 ** max(exponent, _LEAST_EXPONENT)
        length = self.samples(canvas, loop=loop) if samples is None else samples
        return F.pad(wave, (0, length - wave.shape[1]))

    def samples(self, canvas: Canvas, *, loop: bool = False) -> int:
        """Length of a picture's sound."""
        return self._at_our_rate(canvas.params).samples(canvas.width, loop=loop)

    def _wave(self, pixels: Pixels, params: SpectrogramParams, *, loop: bool) -> Tensor:
        """Wave [C, T] of levels [C, rows, columns]."""
        columns = pixels.shape[2]
        mel = mel_from_pixels(pixels, params) / np.float32(FULL_SCALE)
        grid = grid_for(params)
        if grid is None:
            _check_reference_size(columns, params)
            return griffin_lim(torch.from_numpy(mel), params)
        frames: Floats = np.ascontiguousarray(mel.transpose(0, 2, 1))
        stream = Stream(grid, self._schedule, min(params.max_value / FULL_SCALE, _LOUDEST_FULL))
        if loop:
            return torch.from_numpy(stream.circle(frames))
        last = max(columns // _STRETCH - 1, 0) * _STRETCH
        stretches = [stream.feed(frames[:, start : start + _STRETCH]) for start in range(0, last, _STRETCH)]
        return torch.from_numpy(np.concatenate([*stretches, stream.close(frames[:, last:])], axis=1))

    def _at_our_rate(self, params: SpectrogramParams) -> SpectrogramParams:
        """The same picture's parameters at our own sample rate. Magnitudes grow with samples a window."""
        scale = self.params.sample_rate / params.sample_rate
        return replace(params, sample_rate=self.params.sample_rate, max_value=params.max_value * scale)


def _check_reference_size(columns: int, params: SpectrogramParams) -> None:
    """The reference keeps all of its STFT in memory, several times."""
    if columns * (params.n_fft // 2 + 1) > _MAX_REFERENCE_BINS:
        raise UnreadableMedia(
            "The picture's EXIF gives durations that aren't whole samples, and such a picture is reconstructed only if "
            "it is short: save it with a step of 10 ms and a window of 100 ms."
        )
