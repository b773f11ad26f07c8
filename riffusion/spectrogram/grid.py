"""The grid on which phases are retrieved: as coarse as a picture's highest frequency allows.

A picture ends at `max_hz`, so the iterations run at twice that rate (20 kHz instead of 44.1) with window and hop of the
same duration. Only the last step, the synthesis, runs at the rate of the output.

Where bands are narrower than the analysis's bins, or lie above half the sample rate, some weigh no bin at all. What a
picture says there can't be matched, and is left out, as in the original's least squares.

Shapes: B mel bands that weigh a bin, K bins of the grid's FFT.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from riffusion.geometry import DEFAULT, SpectrogramParams, hertz_to_mel, mel_to_hertz
from riffusion.spectrogram.mel import mel_filters

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Spectra = npt.NDArray[np.complex64]

_PADDING = 2  # FFT length over window length: bins half as wide as its own resolve the low bands
_STEPS_PER_SECOND = 1000  # durations are whole milliseconds: a rate of whole kHz gives whole numbers of samples


@dataclass(frozen=True, eq=False)
class Grid:
    """Lengths at the grid's rate and at the output's, and the mel filters at the grid's bins."""

    rate: int
    """In Hz; the following three are in samples at this rate."""
    hop: int
    win: int
    n_fft: int
    out_hop: int
    """In samples at the output's rate, as the following two."""
    out_win: int
    out_n_fft: int
    low: int
    """The first bin that a band weighs,"""
    high: int
    """and the one after the last: the sound has nothing outside, where no band limits it."""
    bands: Ints
    """[B]: their numbers among the picture's bands."""
    band_start: Ints
    """[B + 1]: band b weighs the bins `band_bin[b] + i` by `band_weight[band_start[b] + i]`."""
    band_bin: Ints
    """[B]: first bin of each band."""
    band_weight: Floats
    """[band_start[B]]: all bands' weights one after another, over 0."""
    below: Ints
    """[K]: the band whose centre is at or below this bin."""
    share: Floats
    """[K]: how far, 0 to 1, this bin lies towards the centre of the next band."""
    spacing: Floats
    """[K]: from one band's centre to the next one's, in bins."""

    @property
    def bins(self) -> int:
        """K: bins from 0 Hz to half the rate."""
        return self.n_fft // 2 + 1

    @property
    def area(self) -> Floats:
        """[B]: sum of each band's weights, the mel magnitudes of a flat spectrum of 1."""
        return np.add.reduceat(self.band_weight, self.band_start[:-1])


def hann(length: int) -> Floats:
    """Periodic Hann window [length], as torch's."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def grid_for(params: SpectrogramParams) -> Grid | None:
    """The grid of a picture's geometry; None where its durations aren't whole numbers of samples."""
    return _grid(replace(params, stereo=False, max_value=DEFAULT.max_value))


@lru_cache(maxsize=8)
def _grid(params: SpectrogramParams) -> Grid | None:
    max_hz = min(params.max_hz, params.sample_rate // 2)
    rate = -(-2 * max_hz // _STEPS_PER_SECOND) * _STEPS_PER_SECOND
    at_sound_rate = [params.sample_rate * ms / 1000 for ms in (params.step_ms, params.window_ms / 2)]
    if rate * params.window_ms % 4000 or not all(length.is_integer() for length in at_sound_rate):
        return None
    win = rate * params.window_ms // 1000
    n_fft = _PADDING * win
    weights = _filters(params, rate, n_fft)
    bands = np.flatnonzero(weights.any(axis=0))
    weights = weights[:, bands]
    used = weights > 0
    first = used.argmax(axis=0)
    count = len(weights) - used[::-1].argmax(axis=0) - first
    start = np.concatenate([[0], np.cumsum(count)])
    flat = np.concatenate([weights[f : f + c, b] for b, (f, c) in enumerate(zip(first, count, strict=True))])
    centres = _centres(params)[bands] * n_fft / rate
    position = np.interp(np.arange(len(weights)), centres, np.arange(len(bands)))
    below = np.minimum(position.astype(np.int32), len(bands) - 2)
    return Grid(
        rate=rate,
        hop=rate * params.step_ms // 1000,
        win=win,
        n_fft=n_fft,
        out_hop=params.hop_length,
        out_win=params.win_length,
        out_n_fft=_PADDING * params.win_length,
        low=int(first.min()),
        high=int((first + count).max()),
        bands=bands.astype(np.int32),
        band_start=start.astype(np.int32),
        band_bin=first.astype(np.int32),
        band_weight=flat.astype(np.float32),
        below=below,
        share=(position - below).astype(np.float32),
        spacing=np.diff(centres)[below].astype(np.float32),
    )


def _filters(params: SpectrogramParams, rate: int, n_fft: int) -> npt.NDArray[np.float64]:
    """The filters of the analysis for magnitudes at the grid's bins, between which its finer bins lie: [K, B]."""
    fine = mel_filters(params).double().numpy()
    position = np.arange(len(fine)) * (params.sample_rate / params.n_fft) / (rate / n_fft)
    bins = n_fft // 2 + 1
    lower = np.minimum(position.astype(int), bins - 1)
    share = (position - lower)[:, None]
    coarse = np.zeros((bins, fine.shape[1]))
    np.add.at(coarse, lower, fine * (1 - share))
    np.add.at(coarse, np.minimum(lower + 1, bins - 1), fine * share)
    return coarse * (params.win_length / (rate * params.window_ms / 1000))  # more samples, larger magnitudes


def _centres(params: SpectrogramParams) -> npt.NDArray[np.float64]:
    """Centre frequencies [B] of the bands in Hz."""
    edges = np.linspace(hertz_to_mel(params.min_hz), hertz_to_mel(params.max_hz), params.frequencies + 2)
    return np.array([mel_to_hertz(mel) for mel in edges[1:-1]])
