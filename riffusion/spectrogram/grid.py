"""The grid on which phases are retrieved: as coarse as a picture's highest frequency allows.

A picture ends at `max_hz`, so the iterations run at twice that rate (20 kHz instead of 44.1) with window and hop of the
same duration. Only the last step, the synthesis, runs at the sound's own rate.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from riffusion.geometry import DEFAULT, SpectrogramParams
from riffusion.spectrogram.mel import mel_filters

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Spectra = npt.NDArray[np.complex64]

_PADDING = 2  # FFT length over window length: bins half as wide as its own tell low bands apart
_STEPS_PER_SECOND = 1000  # durations are whole milliseconds: a rate of whole kHz gives whole numbers of samples


@dataclass(frozen=True, eq=False)
class Grid:
    """Lengths in samples at `rate`, and the mel filters as they look from here."""

    rate: int
    hop: int
    win: int
    n_fft: int
    out_hop: int
    """`hop` at the sound's own rate, as the following two."""
    out_win: int
    out_n_fft: int
    band_start: Ints
    """[bands + 1]: band b weighs the bins `band_bin[b] + i` by `band_weight[band_start[b] + i]`."""
    band_bin: Ints
    band_weight: Floats
    below: Ints
    """[bins]: the band whose centre is at or below this bin."""
    share: Floats
    """[bins]: how far, 0 to 1, this bin lies towards the centre of the next band."""
    spacing: Floats
    """[bins]: from one band's centre to the next one's, in bins."""

    @property
    def bins(self) -> int:
        """Bins from 0 Hz to half the rate."""
        return self.n_fft // 2 + 1

    @property
    def bands(self) -> int:
        """Mel bands."""
        return len(self.band_bin)

    @property
    def band_count(self) -> Ints:
        """[bands]: how many bins each band weighs."""
        return np.diff(self.band_start)

    @property
    def area(self) -> Floats:
        """Sum of each band's weights: a flat spectrum of 1 has these mel magnitudes."""
        return np.add.reduceat(self.band_weight, self.band_start[:-1])


def hann(length: int) -> Floats:
    """Periodic Hann window, as torch's."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def grid_for(params: SpectrogramParams) -> Grid | None:
    """The grid of a picture's geometry; None where its durations aren't whole numbers of samples."""
    return _grid(replace(params, stereo=False, max_value=DEFAULT.max_value))


@lru_cache(maxsize=8)
def _grid(params: SpectrogramParams) -> Grid | None:
    rate = -(-2 * params.max_hz // _STEPS_PER_SECOND) * _STEPS_PER_SECOND
    at_sound_rate = [params.sample_rate * ms / 1000 for ms in (params.step_ms, params.window_ms / 2)]
    if rate * params.window_ms % 4000 or not all(length.is_integer() for length in at_sound_rate):
        return None
    win = rate * params.window_ms // 1000
    n_fft = _PADDING * win
    weights = _filters(params, rate, n_fft)
    used = weights > 0
    first = used.argmax(axis=0)
    count = len(weights) - used[::-1].argmax(axis=0) - first
    start = np.concatenate([[0], np.cumsum(count)])
    flat = np.concatenate([weights[f : f + c, b] for b, (f, c) in enumerate(zip(first, count, strict=True))])
    centres = _centres(params) * n_fft / rate
    position = np.interp(np.arange(len(weights)), centres, np.arange(params.frequencies))
    below = np.minimum(position.astype(np.int32), params.frequencies - 2)
    return Grid(
        rate=rate,
        hop=rate * params.step_ms // 1000,
        win=win,
        n_fft=n_fft,
        out_hop=params.hop_length,
        out_win=params.win_length,
        out_n_fft=_PADDING * params.win_length,
        band_start=start.astype(np.int32),
        band_bin=first.astype(np.int32),
        band_weight=flat.astype(np.float32),
        below=below,
        share=(position - below).astype(np.float32),
        spacing=np.diff(centres)[below].astype(np.float32),
    )


def _filters(params: SpectrogramParams, rate: int, n_fft: int) -> npt.NDArray[np.float64]:
    """The analysis' own filters [bins, bands] for magnitudes at this grid's bins, which its finer bins lie between."""
    fine = mel_filters(params, torch.device("cpu")).double().numpy()
    position = np.arange(len(fine)) * (params.sample_rate / params.n_fft) / (rate / n_fft)
    bins = n_fft // 2 + 1
    lower = np.minimum(position.astype(int), bins - 1)
    share = (position - lower)[:, None]
    coarse = np.zeros((bins, fine.shape[1]))
    np.add.at(coarse, lower, fine * (1 - share))
    np.add.at(coarse, np.minimum(lower + 1, bins - 1), fine * share)
    return coarse * (params.win_length / (rate * params.window_ms / 1000))  # more samples, larger magnitudes


def _centres(params: SpectrogramParams) -> npt.NDArray[np.float64]:
    """Centre frequencies of the bands in Hz (HTK's mel scale)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (params.min_hz, params.max_hz))
    mels = np.linspace(low, high, params.frequencies + 2)[1:-1]
    centres: npt.NDArray[np.float64] = 700 * (10 ** (mels / 2595) - 1)
    return centres
