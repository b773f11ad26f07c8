"""The inner loops of phase retrieval, compiled. Arrays are float32 and complex64; frames run along the first axis.

Shapes: N frames, B mel bands, K = n_fft / 2 + 1 bins, T samples, W samples of a window.
"""

import numpy as np

from riffusion.spectrogram.compiled import compiled
from riffusion.spectrogram.grid import Floats, Ints, Spectra


@compiled
def interpolate_level(  # noqa: PLR0917  compiled functions take arguments by position
    target: Floats, area: Floats, below: Ints, share: Floats, floor: np.float32, level: Floats
) -> None:
    """Writes log magnitudes to `level` [N, K], linear between the centres of the bands of `target` [N, B].

    Args:
        area: [B], sums of the bands' weights, by which mel magnitudes become those of a flat spectrum.
        below: [K], the band whose centre is at or below each bin.
        share: [K], how far, 0 to 1, each bin lies towards the centre of the next band.
        floor: least mel magnitude, so that logarithms exist.
    """
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
    """Writes windowed frames of a wave [T], from number `first` on, into the middle of `frames` [N, n_fft]."""
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
    """Adds the windowed middle of `frames` [N, n_fft], from number `first` on, to a wave [T], each times its weight."""
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
    """Adds to `total` [T] what `overlap_add` scales a wave by: the squared windows of frames with `weight` [N]."""
    for j in range(len(weight)):
        for i in range(len(window)):
            total[j * hop + i] += weight[j] * window[i] * window[i]


@compiled
def match_mel(  # noqa: PLR0917  compiled functions take arguments by position
    spectra: Spectra,
    target: Floats,
    band_start: Ints,
    band_bin: Ints,
    band_weight: Floats,
    below: Ints,
    share: Floats,
    floor: np.float32,
    overshoot: bool,
) -> None:
    """Scales `spectra` [N, K] in place so that their mel magnitudes approach `target` [N, B].

    Each bin is scaled by the ratio of target to present mel magnitude, linear between the centres of the bands. With
    `overshoot` it is the ratio to the power of 5/4, since overlapping frames cancel part of the change.

    Args:
        band_start, band_bin, band_weight: the mel filters, and
        below, share: the bands around each bin, as `Grid` has them.
        floor: what is added to the present magnitude, so that ratios exist.
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
        if overshoot:
            for b in range(bands):
                ratio[b] *= np.sqrt(np.sqrt(ratio[b]))
        for k in range(bins):
            b = below[k]
            spectra[j, k] *= ratio[b] + share[k] * (ratio[b + 1] - ratio[b])
