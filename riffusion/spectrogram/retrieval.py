"""Waves from mel magnitudes by alternating projections, with the mel imposed in each one.

D. Griffin and J. Lim's iteration ("Signal estimation from modified short-time Fourier transform", IEEE TASSP 32(2),
1984) with the momentum of N. Perraudin et al. ("A fast Griffin-Lim algorithm", WASPAA 2013), which is linear and so
acts on the wave instead of its STFT. Two things differ. The picture's own mel bands are imposed instead of a fixed
magnitude: there is no inverse of the mel scale to guess, and the detail between bands settles by itself. And frames
weigh in the overlap-add by the inverse of their loudness, so that errors are small next to each frame's own sound: a
drum leaks less into the silence before it. Frames stream through blocks that fit the processor's cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.fft

from riffusion.spectrogram.grid import Floats, Grid, Spectra, hann
from riffusion.spectrogram.kernels import cut_frames, impose, overlap_add, window_sum

Indices = npt.NDArray[np.intp]
End = Literal["mirror", "open", "circle"]

_BLOCK = 32  # frames in flight: 0.5 MB of samples and as much of spectra
QUIET = 1e-6  # of the loudest band: what ratios are kept above
THIN = 1e-3  # least sum of squared windows that is divided by, at an open end where frames are few


@dataclass(frozen=True)
class Schedule:
    """How long and how boldly to iterate."""

    iterations: int
    momentum: float
    eager: bool
    """Overshoot in all but the last iteration: faster at first, unstable in the long run."""


@dataclass(frozen=True)
class Overlap:
    """Frames added up, and the weights they were added with: a wave is one divided by the other."""

    wave: Floats
    weight: Floats

    def after(self, index: int) -> "Overlap":
        """What reaches past a sample."""
        return Overlap(self.wave[index:].copy(), self.weight[index:].copy())

    def sound(self, grid: Grid) -> Floats:
        """The wave, if this is one at the sound's rate: frames come from windows that are shorter in samples."""
        wave: Floats = np.divide(self.wave, np.maximum(self.weight, np.float32(THIN)), dtype=np.float32)
        wave *= np.float32(grid.out_win / grid.win)
        return wave


@dataclass(frozen=True)
class Tail:
    """What is settled at the end of a sound and reaches into what follows: its last frames, already summed."""

    slow: Overlap
    """[win - hop] samples at the grid's rate."""
    fast: Overlap
    """[out_win - out_hop] samples at the sound's rate."""
    spectrum: Spectra
    """[bins] of the last frame; its even bins have the phases that `start_phases` speaks of."""


class Retrieval:
    """One stretch of one channel's sound.

    `target` is [frames, bands], `weight` [frames]. With a `tail` the sound goes on from there; without, it begins,
    mirrored at its first frame. The `end` is "mirror" if it ends, "open" if it goes on, "circle" if it flows into its
    beginning.
    """

    def __init__(self, target: Floats, weight: Floats, grid: Grid, tail: Tail | None, end: End) -> None:
        self._target, self._weight, self._grid, self._tail, self._end = target, weight, grid, tail, end
        self._frames = len(target)
        self._window = hann(grid.win)
        self._floor = np.float32(QUIET * max(float(target.max()), 1e-30))
        self._begun = _overlap(grid.hop, grid.win, weight, tail.slow if tail else None)
        self._total = np.maximum(self._folded(self._begun.weight, grid.hop), np.float32(THIN))
        self._outside = _reflections(self._frames, grid, begins=tail is None, ends=end == "mirror")

    def start(self, level: Floats, phases: Floats) -> Floats:
        """A first wave from log magnitudes and phases, both [frames, win // 2 + 1], phases from the frames' centres."""
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
        """The wave after all iterations but the last, which `synthesise` is."""
        before = wave
        for _ in range(schedule.iterations - 1):
            projected = self._begun.wave.copy()
            for first, spectra in self._imposed(wave, self._frames, eager=schedule.eager):
                self._add(scipy.fft.irfft(spectra, self._grid.n_fft), first, projected)
            projected = self._settled(projected)
            wave = projected + np.float32(schedule.momentum) * (projected - before)
            before = projected
        return wave

    def synthesise(self, wave: Floats, frames: int) -> tuple[Floats, Tail]:
        """The sound of the first `frames` frames as far as it is settled, and what they leave for the rest."""
        grid = self._grid
        weight = self._weight[:frames]
        window = hann(grid.out_win)
        sound = _overlap(grid.out_hop, grid.out_win, weight, self._tail.fast if self._tail else None)
        reach = min(-(-grid.win // grid.hop), frames)
        last = np.empty((0, grid.bins), dtype=np.complex64)
        for first, spectra in self._imposed(wave, frames, eager=False):
            last = np.concatenate([last, spectra])[-reach:]
            dense = scipy.fft.irfft(spectra[:, : grid.out_n_fft // 2 + 1], grid.out_n_fft)
            overlap_add(dense, first, grid.out_hop, window, weight, sound.wave)
        earlier = self._tail.slow if self._tail and reach == frames else None
        slow = _overlap(grid.hop, grid.win, weight[-reach:], earlier)
        overlap_add(scipy.fft.irfft(last, grid.n_fft), 0, grid.hop, self._window, weight[-reach:], slow.wave)
        tail = Tail(slow.after(reach * grid.hop), sound.after(frames * grid.out_hop), last[-1])
        return self._cut(sound, frames), tail

    def _imposed(self, wave: Floats, frames: int, *, eager: bool) -> Iterator[tuple[int, Spectra]]:
        """Spectra of the wave's first frames with the target imposed, in blocks, each with the index of its first."""
        grid = self._grid
        cut = np.zeros((_BLOCK, grid.n_fft), dtype=np.float32)
        for first in range(0, frames, _BLOCK):
            block = cut[: min(_BLOCK, frames - first)]
            cut_frames(wave, first, grid.hop, self._window, block)
            spectra = scipy.fft.rfft(block)
            filters = (grid.band_start, grid.band_bin, grid.band_weight, grid.below, grid.share)
            impose(spectra, self._target[first : first + _BLOCK], *filters, self._floor, eager)
            yield first, spectra

    def _add(self, frames: Floats, first: int, wave: Floats) -> None:
        overlap_add(frames, first, self._grid.hop, self._window, self._weight, wave)

    def _settled(self, wave: Floats) -> Floats:
        """The sum of frames as a wave, its ends as the analysis would see them."""
        if self._end == "circle":
            return np.resize(self._folded(wave, self._grid.hop) / self._total, len(wave))
        wave /= self._total
        outside, inside = self._outside
        wave[outside] = wave[inside]
        return wave

    def _cut(self, sound: Overlap, frames: int) -> Floats:
        """The samples that no further frame changes, from where the first one begins."""
        grid = self._grid
        half = grid.out_win // 2
        if self._end == "circle":
            wound = Overlap(self._folded(sound.wave, grid.out_hop), self._folded(sound.weight, grid.out_hop))
            return np.roll(wound.sound(grid), -half)
        ends = self._end == "mirror" and frames == self._frames
        return sound.sound(grid)[: (frames - 1) * grid.out_hop + half if ends else frames * grid.out_hop]

    def _folded(self, wave: Floats, hop: int) -> Floats:
        """A circle's sum of frames wound around it; any other as it is."""
        if self._end != "circle":
            return wave
        period = self._frames * hop
        turns = -(-len(wave) // period)
        folded: Floats = np.pad(wave, (0, turns * period - len(wave))).reshape(turns, period).sum(axis=0)
        return folded


def _overlap(hop: int, win: int, weight: Floats, tail: Overlap | None) -> Overlap:
    """No frames yet, but the weights of those to come; on top of a tail if there is one."""
    length = (len(weight) - 1) * hop + win
    overlap = Overlap(np.zeros(length, dtype=np.float32), np.zeros(length, dtype=np.float32))
    window_sum(hop, hann(win), weight, overlap.weight)
    if tail:
        overlap.wave[: len(tail.wave)] += tail.wave
        overlap.weight[: len(tail.weight)] += tail.weight
    return overlap


def _reflections(frames: int, grid: Grid, *, begins: bool, ends: bool) -> tuple[Indices, Indices]:
    """Samples beyond a sound's ends, and the samples inside that they mirror."""
    half, length = grid.win // 2, (frames - 1) * grid.hop
    before = np.arange(-half if begins else 0, 0)
    after = np.arange(length + 1, length + grid.win - half if ends else 0)
    outside = np.concatenate([before, after])
    folded = np.abs(outside) % max(2 * length, 1)
    inside = np.minimum(folded, 2 * length - folded)
    return outside + half, np.maximum(inside + half, 0)
