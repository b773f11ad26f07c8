"""The inner loops of phase retrieval, compiled. Arrays are float32 and complex64; frames run along the first axis."""

import numpy as np

from riffusion.spectrogram.compiled import compiled
from riffusion.spectrogram.grid import Floats, Ints, Spectra


@compiled
def interpolate_level(  # noqa: PLR0917  compiled functions take arguments by position
    target: Floats, area: Floats, below: Ints, share: Floats, floor: np.float32, level: Floats
) -> None:
    """Log magnitudes [frames, bins] between the bands of mel magnitudes [frames, bands]."""
    frames, bands = target.shape
    band = np.empty(bands, dtype=np.float32)
    for n in range(frames):
        for b in range(bands):
            band[b] = np.log(max(target[n, b], floor) / area[b])
        for k in range(level.shape[1]):
            b = below[k]
            level[n, k] = band[b] + share[k] * (band[b + 1] - band[b])


@compiled
def cut_frames(wave: Floats, first: int, hop: int, window: Floats, frames: Floats) -> None:
    """Windowed frames `first`, `first + 1`, ... of a wave into the middle of frames [count, n_fft]."""
    count, n_fft = frames.shape
    win = len(window)
    pad = (n_fft - win) // 2
    for j in range(count):
        at = (first + j) * hop
        for i in range(win):
            frames[j, pad + i] = wave[at + i] * window[i]


@compiled
def overlap_add(  # noqa: PLR0917  compiled functions take arguments by position
    frames: Floats, first: int, hop: int, window: Floats, weight: Floats, wave: Floats
) -> None:
    """Adds the windowed middle of frames `first`, `first + 1`, ... to the wave, each times its weight."""
    count, n_fft = frames.shape
    win = len(window)
    pad = (n_fft - win) // 2
    for j in range(count):
        at = (first + j) * hop
        loud = weight[first + j]
        for i in range(win):
            wave[at + i] += frames[j, pad + i] * (loud * window[i])


@compiled
def window_sum(hop: int, window: Floats, weight: Floats, total: Floats) -> None:
    """Adds what `overlap_add` multiplies a wave by: all frames' squared windows, each times its weight."""
    for j in range(len(weight)):
        for i in range(len(window)):
            total[j * hop + i] += weight[j] * window[i] * window[i]


@compiled
def impose(  # noqa: PLR0917  compiled functions take arguments by position
    spectra: Spectra,
    target: Floats,
    band_start: Ints,
    band_bin: Ints,
    band_weight: Floats,
    below: Ints,
    share: Floats,
    floor: np.float32,
    eager: bool,
) -> None:
    """Scales spectra [frames, bins] so that their mel magnitudes approach target [frames, bands].

    Each bin is scaled by the ratio of target to present magnitude, interpolated between bands; `eager` overshoots:
    ratio to the power of 5/4, which makes up for what overlapping frames cancel.
    """
    count, bins = spectra.shape
    bands = len(band_bin)
    magnitude = np.empty(bins, dtype=np.float32)
    ratio = np.empty(bands, dtype=np.float32)
    for j in range(count):
        for k in range(bins):
            value = spectra[j, k]
            magnitude[k] = np.sqrt(value.real * value.real + value.imag * value.imag)
        for b in range(bands):
            total = np.float32(0)
            at, k = band_start[b], band_bin[b]
            for i in range(band_start[b + 1] - at):
                total += band_weight[at + i] * magnitude[k + i]
            ratio[b] = target[j, b] / (total + floor)
        if eager:
            for b in range(bands):
                ratio[b] *= np.sqrt(np.sqrt(ratio[b]))
        for k in range(bins):
            b = below[k]
            spectra[j, k] *= ratio[b] + share[k] * (ratio[b + 1] - ratio[b])
