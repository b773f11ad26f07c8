"""The last check before a sound becomes a file, and of what a lossy file holds: nothing that fails it is handed out."""

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from riffusion.errors import BrokenSound, InaudibleSound

_LEAST_DB = -60.0


def check_sound(wave: Tensor, sample_rate: int, *, samples: int, silent: bool) -> None:
    """Returns if a wave [C, T] can be handed out.

    Args:
        samples: the T that was promised.
        silent: whether there may be nothing to hear.

    Raises:
        BrokenSound: it has another length, samples that aren't finite, or samples beyond ±1.
        InaudibleSound: there is nothing to hear.
    """
    if wave.shape[1] != samples:
        raise BrokenSound(f"The sound has {wave.shape[1]} samples instead of {samples}.")
    if not wave.isfinite().all():
        raise BrokenSound("The sound has numbers that are not finite.")
    if samples and float(wave.abs().max()) > 1:
        raise BrokenSound("The sound is clipped.")
    if not silent and all(level < _LEAST_DB for level in _levels_db(wave, sample_rate)):  # up to the first second heard
        raise InaudibleSound(
            "Nothing of it can be heard: what the picture shows is too low, too high or too short for a sound."
        )


def audible_db(wave: Tensor, sample_rate: int) -> float:
    """A-weighted level of the loudest second of a wave [C, T], in dB of full scale; -inf where nothing is left.

    The wave's ends are held and each second is windowed, so that a constant isn't heard by where it begins.
    """
    return max(_levels_db(wave, sample_rate))


def _levels_db(wave: Tensor, sample_rate: int) -> Iterator[float]:
    """A-weighted level of each second, which overlap by half, in the channel where it is louder."""
    window, weights = torch.hann_window(sample_rate), _a_weights(sample_rate)
    half, full_scale = sample_rate // 2, sample_rate * float(window.square().sum())
    held = F.pad(wave, (half, sample_rate), mode="replicate")
    for first in range(0, wave.shape[1] + half, half):
        spectra = torch.fft.rfft(held[:, first : first + sample_rate] * window).abs() * weights
        energy = float(2 * spectra.square().sum(dim=1).max())
        yield 10 * math.log10(energy / full_scale) if energy else -math.inf


@lru_cache(maxsize=2)
def _a_weights(sample_rate: int) -> Tensor:
    """Gains of the bins [K], 1 Hz apart, of a second: 1 at 1 kHz (IEC 61672-1, annex E)."""
    squares = torch.arange(sample_rate // 2 + 1, dtype=torch.float64).square()
    low, middle, high, top = (hertz**2 for hertz in (20.6, 107.7, 737.9, 12_194.0))
    gains = top * squares.square() / ((squares + low) * (squares + top))
    gains /= ((squares + middle) * (squares + high)).sqrt()
    return (gains / gains[1000]).float()
