"""Waves from mel magnitudes by alternating projections, each of which matches the mel magnitudes again.

D. Griffin and J. Lim's iteration ("Signal estimation from modified short-time Fourier transform", IEEE TASSP 32(2),
1984) with the momentum of N. Perraudin, P. Balazs and P. L. Søndergaard ("A fast Griffin-Lim algorithm", WASPAA 2013),
which is linear and so acts on the wave instead of its STFT. Two things differ. Spectra are matched to the picture's mel
bands instead of to fixed magnitudes: there is no inverse of the mel scale to estimate, and the detail between bands
settles by itself. And frames weigh in the overlap-add by the inverse of their loudness, so that errors are small next
to each frame's own sound: a drum leaks less into the silence before it. Frames pass through blocks that fit the
processor's cache.

Shapes: N frames, B mel bands, K bins of the grid's FFT, T samples. Magnitudes are those of samples in ±1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.fft

from riffusion.spectrogram.grid import Floats, Grid, Spectra, hann
from riffusion.spectrogram.kernels import cut_frames, match_mel, overlap_add, window_sum

Indices = npt.NDArray[np.intp]
End = Literal["mirror", "open", "circle"]

_BLOCK = 32  # frames processed together: 0.5 MB of samples and as much of spectra
_FLOOR = 1e-6  # of the loudest magnitude: added to the magnitudes that ratios divide by
_MIN_WEIGHT = 1e-3  # least sum of squared windows that is divided by, at an open end where frames are few


@dataclass(frozen=True)
class Schedule:
    """How the iteration runs."""

    iterations: int
    """At least 1; the last one is the synthesis."""
    momentum: float
    """0 to 1: how much of the last step is added to the next, the paper's alpha."""
    overshoot: bool
    """Whether to overshoot in all but the last iteration: faster at first, unstable in the long run."""


@dataclass(frozen=True)
class Overlap:
    """A sum of frames, and the sum of the weights that they were added with: a wave is one divided by the other."""

    wave: Floats
    """[T]."""
    weight: Floats
    """[T]."""

    def after(self, index: int) -> "Overlap":
        """The part from a sample on."""
        return Overlap(self.wave[index:].copy(), self.weight[index:].copy())

    def output(self, grid: Grid) -> Floats:
        """Wave [T] of a sum at the output's rate, whose frames come from windows that are shorter in samples."""
        wave: Floats = np.divide(self.wave, np.maximum(self.weight, np.float32(_MIN_WEIGHT)), dtype=np.float32)
        wave *= np.float32(grid.out_win / grid.win)
        return wave


@dataclass(frozen=True)
class Tail:
    """The end of a stretch of sound that overlaps with the next stretch: its last frames, already summed."""

    grid_rate: Overlap
    """[win - hop] samples at the grid's rate."""
    output_rate: Overlap
    """[out_win - out_hop] samples at the output's rate."""
    spectrum: Spectra
    """[K] of the last frame; its even bins are the window's own, whose phases `start_phases` takes as known."""


class Retrieval:
    """One stretch of one channel's sound."""

    def __init__(self, target: Floats, weight: Floats, grid: Grid, tail: Tail | None, end: End) -> None:
        """
        Args:
            target: mel magnitudes [N, B].
            weight: of each frame in the overlap-add, [N].
            tail: of the stretch before; without one the sound begins here, mirrored at its first frame.
            end: "mirror" if the sound ends here, "open" if another stretch follows, "circle" if it flows into its
                beginning.
        """
        self._target, self._weight, self._grid, self._tail, self._end = target, weight, grid, tail, end
        self._frames = len(target)
        self._window = hann(grid.win)
        self._floor = np.float32(_FLOOR * max(float(target.max()), 1e-30))
        self._begun = _overlap(grid.hop, grid.win, weight, tail.grid_rate if tail else None)
        self._total = np.maximum(self._folded(self._begun.weight, grid.hop), np.float32(_MIN_WEIGHT))
        self._outside = _reflections(self._frames, grid, begins=tail is None, ends=end == "mirror")

    def start(self, level: Floats, phases: Floats) -> Floats:
        """Wave [T] at the grid's rate to start from.

        Args:
            level: natural logarithms of magnitudes, [N, win // 2 + 1].
            phases: in radians, counted from the frames' centres, [N, win // 2 + 1].
        """
        wave = self._begun.wave.copy()
        from_centre = np.where(np.arange(level.shape[1]) % 2, np.float32(-1), np.float32(1))
        for first in range(0, self._frames, _BLOCK):
            block = slice(first, first + _BLOCK)
            magnitude = np.exp(level[block]) * from_centre
            spectra = np.empty(magnitude.shape, dtype=np.complex64)
            np.multiply(magnitude, np.cos(phases[block]), out=spectra.real)
            np.multiply(magnitude, np.sin(phases[block]), out=spectra.imag)
            self._add(scipy.fft.irfft(spectra, self._grid.win), first, wave)
        return self._settled(wave)

    def iterate(self, wave: Floats, schedule: Schedule) -> Floats:
        """Wave [T] at the grid's rate after all iterations but the last, which is `synthesise`."""
        before = wave
        for _ in range(schedule.iterations - 1):
            projected = self._begun.wave.copy()
            for first, spectra in self._matched(wave, self._frames, overshoot=schedule.overshoot):
                self._add(scipy.fft.irfft(spectra, self._grid.n_fft), first, projected)
            projected = self._settled(projected)
            wave = projected + np.float32(schedule.momentum) * (projected - before)
            before = projected
        return wave

    def synthesise(self, wave: Floats, frames: int) -> tuple[Floats, Tail]:
        """The settled sound [T] of the first `frames` frames at the output's rate, and their tail."""
        grid = self._grid
        weight = self._weight[:frames]
        window = hann(grid.out_win)
        output = _overlap(grid.out_hop, grid.out_win, weight, self._tail.output_rate if self._tail else None)
        reach = min(-(-grid.win // grid.hop), frames)
        last = np.empty((0, grid.bins), dtype=np.complex64)
        for first, spectra in self._matched(wave, frames, overshoot=False):
            last = np.concatenate([last, spectra])[-reach:]
            dense = scipy.fft.irfft(spectra[:, : grid.out_n_fft // 2 + 1], grid.out_n_fft)
            overlap_add(dense, first, grid.out_hop, window, weight, output.wave)
        earlier = self._tail.grid_rate if self._tail and reach == frames else None
        ending = _overlap(grid.hop, grid.win, weight[-reach:], earlier)
        overlap_add(scipy.fft.irfft(last, grid.n_fft), 0, grid.hop, self._window, weight[-reach:], ending.wave)
        tail = Tail(ending.after(reach * grid.hop), output.after(frames * grid.out_hop), last[-1])
        return self._cut(output, frames), tail

    def _matched(self, wave: Floats, frames: int, *, overshoot: bool) -> Iterator[tuple[int, Spectra]]:
        """Spectra [n, K] of a wave's first frames, matched to the target: block by block, after its first index."""
        grid = self._grid
        cut = np.zeros((_BLOCK, grid.n_fft), dtype=np.float32)
        for first in range(0, frames, _BLOCK):
            block = cut[: min(_BLOCK, frames - first)]
            cut_frames(wave, first, grid.hop, self._window, block)
            spectra = scipy.fft.rfft(block)
            filters = (grid.band_start, grid.band_bin, grid.band_weight, grid.below, grid.share)
            match_mel(spectra, self._target[first : first + _BLOCK], *filters, self._floor, overshoot)
            spectra[:, : grid.low] = 0
            spectra[:, grid.high :] = 0
            yield first, spectra

    def _add(self, frames: Floats, first: int, wave: Floats) -> None:
        overlap_add(frames, first, self._grid.hop, self._window, self._weight, wave)

    def _settled(self, wave: Floats) -> Floats:
        """A sum of frames [T] as a wave [T], extended beyond its ends as the analysis extends it."""
        if self._end == "circle":
            return np.resize(self._folded(wave, self._grid.hop) / self._total, len(wave))
        wave /= self._total
        outside, inside = self._outside
        wave[outside] = wave[inside]
        return wave

    def _cut(self, output: Overlap, frames: int) -> Floats:
        """The samples [T] that no further frame changes, from where the first one begins."""
        grid = self._grid
        half = grid.out_win // 2
        if self._end == "circle":
            circle = Overlap(self._folded(output.wave, grid.out_hop), self._folded(output.weight, grid.out_hop))
            return np.roll(circle.output(grid), -half)
        ends = self._end == "mirror" and frames == self._frames
        return output.output(grid)[: (frames - 1) * grid.out_hop + half if ends else frames * grid.out_hop]

    def _folded(self, wave: Floats, hop: int) -> Floats:
        """A sum of frames [T], that of a circle wrapped around to [N * hop]."""
        if self._end != "circle":
            return wave
        period = self._frames * hop
        turns = -(-len(wave) // period)
        folded: Floats = np.pad(wave, (0, turns * period - len(wave))).reshape(turns, period).sum(axis=0)
        return folded


def _overlap(hop: int, win: int, weight: Floats, tail: Overlap | None) -> Overlap:
    """The tail of the stretch before, and the weights of N frames that will be added: [(N - 1) * hop + win]."""
    length = (len(weight) - 1) * hop + win
    overlap = Overlap(np.zeros(length, dtype=np.float32), np.zeros(length, dtype=np.float32))
    window_sum(hop, hann(win), weight, overlap.weight)
    if tail:
        overlap.wave[: len(tail.wave)] += tail.wave
        overlap.weight[: len(tail.weight)] += tail.weight
    return overlap


def _reflections(frames: int, grid: Grid, *, begins: bool, ends: bool) -> tuple[Indices, Indices]:
    """Indices of the samples beyond a sound's ends, and of the samples inside that they mirror: [n] both."""
    half, length = grid.win // 2, (frames - 1) * grid.hop
    before = np.arange(-half if begins else 0, 0)
    after = np.arange(length + 1, length + grid.win - half if ends else 0)
    outside = np.concatenate([before, after])
    folded = np.abs(outside) % max(2 * length, 1)
    inside = np.minimum(folded, 2 * length - folded)
    return outside + half, np.maximum(inside + half, 0)
