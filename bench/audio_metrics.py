"""How far a reconstructed sound is from its picture, and from the recording behind the picture."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from riffusion.geometry import DEFAULT, FULL_SCALE
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.mel import mel_spectrogram
from riffusion.spectrogram.pixels import mel_from_pixels, pixels_from_mel

TOP_HZ = 10_000
FLOOR = 1e-4  # 80 dB below the loudest magnitude, where log distances end
# Window, hop and FFT lengths at 44.1 kHz of R. Yamamoto et al., "Parallel WaveGAN", ICASSP 2020.
RESOLUTIONS = ((1200, 240, 2048), (600, 120, 1024), (240, 50, 512))


class Scores(NamedTuple):
    """px: mean absolute pixel error, 0 to 255. SC: spectral convergence of the mel magnitudes. LMD: mean log-mel
    distance in dB. MR: multi-resolution STFT distance to the recording under 10 kHz, and MSC its half without
    logarithms; both NaN where there is no recording."""

    px: float
    sc: float
    lmd: float
    mr: float
    msc: float


@dataclass(frozen=True)
class Picture:
    """A picture to reconstruct, and the recording [1, T] that it was made from, if there is one."""

    name: str
    canvas: Canvas
    recording: Tensor | None

    @property
    def mel(self) -> Tensor:
        """Mel magnitudes [C, bands, columns] for samples in ±1."""
        return torch.from_numpy(mel_from_pixels(self.canvas.pixels, self.canvas.params)) / FULL_SCALE


def encoded(name: str, recording: Tensor) -> Picture:
    """The picture of a recording."""
    return Picture(name, SpectrogramCodec().encode(recording), recording)


def gain_matched(wave: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The wave, and its mel magnitudes by the reference analysis, both times the gain that brings them closest."""
    mel = mel_spectrogram(wave, DEFAULT)
    gain = (mel * target).sum() / mel.square().sum().clamp_min(1e-20)
    return wave * gain, mel * gain


def pixel_errors(mel: Tensor, picture: Picture) -> npt.NDArray[np.float64]:
    """Absolute differences [rows, columns] between a picture and that of the mel magnitudes [1, bands, columns]."""
    again = pixels_from_mel((FULL_SCALE * mel).numpy(), picture.canvas.params)
    errors: npt.NDArray[np.float64] = np.abs(again[0].astype(float) - picture.canvas.grey)
    return errors


def score(wave: Tensor, picture: Picture) -> Scores:
    """All distances of a mono wave [1, T]."""
    target = picture.mel
    wave, mel = gain_matched(wave, target)
    floor = FLOOR * float(target.max())
    decibels = 20 * torch.log10((mel + floor) / (target + floor))
    return Scores(
        px=float(pixel_errors(mel, picture).mean()),
        sc=float((mel - target).norm() / target.norm()),
        lmd=float(decibels.abs().mean()),
        **multi_resolution(wave, picture.recording),
    )


def multi_resolution(wave: Tensor, recording: Tensor | None) -> dict[str, float]:
    """Means over resolutions of spectral convergence, and of that plus mean difference of log magnitudes."""
    if recording is None:
        return {"mr": math.nan, "msc": math.nan}
    convergence = logarithms = 0.0
    for win, hop, n_fft in RESOLUTIONS:
        mine, theirs = (_magnitudes(sound, win, hop, n_fft) for sound in (wave, recording))
        floor = FLOOR * float(theirs.max())
        convergence += float((mine - theirs).norm() / theirs.norm()) / len(RESOLUTIONS)
        logs = mine.clamp_min(floor).log() - theirs.clamp_min(floor).log()
        logarithms += float(logs.abs().mean()) / len(RESOLUTIONS)
    return {"mr": convergence + logarithms, "msc": convergence}


def _magnitudes(wave: Tensor, win: int, hop: int, n_fft: int) -> Tensor:
    spectra = torch.stft(wave, n_fft, hop, win, torch.hann_window(win), return_complex=True)
    return spectra[:, : TOP_HZ * n_fft // DEFAULT.sample_rate].abs()


def energy_above_db(wave: Tensor, hertz: float) -> Tensor:
    """Energy above a frequency in dB, for each frame of 1024 samples, 256 apart, of a wave [T]."""
    spectra = torch.stft(wave, 1024, 256, window=torch.hann_window(1024), return_complex=True).abs().square()
    above: Tensor = 10 * torch.log10(spectra[int(hertz / DEFAULT.sample_rate * 1024) :].sum(dim=0) + 1e-20)
    return above
