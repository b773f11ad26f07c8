"""A sound retrieved stretch by stretch: each continues from the settled frames of the last, and nothing is rewritten.

Shapes: C channels, N frames, B mel bands, T samples.
"""

import numpy as np

from riffusion.spectrogram.grid import Floats, Grid
from riffusion.spectrogram.kernels import interpolate_level
from riffusion.spectrogram.pghi import start_phases
from riffusion.spectrogram.retrieval import End, Retrieval, Schedule, Tail

AHEAD = 10  # frames held back until more follow: a window covers as many
_MIN_LEVEL = 1e-12  # of the loudest magnitude, so that logarithms exist
_MIN_LOUDNESS = 1e-4  # of full loudness: frames below it weigh no more


class Stream:
    """Retrieves one sound from mel magnitudes [C, N, B], given in stretches of any number of frames.

    Channels share the phases they start from, so that they stay together.
    """

    def __init__(self, grid: Grid, schedule: Schedule, full: float) -> None:
        """
        Args:
            full: mel magnitude that counts as loud, for samples in ±1.
        """
        self._grid, self._schedule, self._full = grid, schedule, full
        self._lead = grid.out_win // 2  # samples to skip: half of the first frame lies before its centre
        self._held: Floats | None = None
        self._tails: list[Tail] | None = None
        self._level: Floats | None = None

    def feed(self, target: Floats) -> Floats:
        """The samples [C, T] that a further stretch settles; more will follow."""
        target = self._joined(target)
        frames = target.shape[1] - AHEAD
        self._held = target[:, max(frames, 0) :]
        if frames <= 0:
            return np.zeros((len(target), 0), dtype=np.float32)
        return self._retrieved(target, frames, "open")

    def close(self, target: Floats) -> Floats:
        """The samples [C, T] up to the last frame's centre, with a last stretch (it may have no frames)."""
        target = self._joined(target)
        return self._retrieved(target, target.shape[1], "mirror")

    def circle(self, target: Floats) -> Floats:
        """A whole loop [C, N * out_hop] at once."""
        self._lead = 0
        return self._retrieved(target, target.shape[1], "circle")

    def _joined(self, target: Floats) -> Floats:
        return target if self._held is None else np.concatenate([self._held, target], axis=1)

    def _retrieved(self, target: Floats, frames: int, end: End) -> Floats:
        """The sound [C, T] of the first `frames` frames; the others only shape the first ones' end."""
        shared = log_magnitudes(target.mean(axis=0), self._grid)
        phases = self._phases(shared, loop=end == "circle")
        sounds, tails = [], []
        for channel, bands in enumerate(target):
            tail = self._tails[channel] if self._tails else None
            retrieval = Retrieval(bands, frame_weights(bands, self._full), self._grid, tail, end)
            wave = retrieval.start(shared if len(target) == 1 else log_magnitudes(bands, self._grid), phases)
            sound, left = retrieval.synthesise(retrieval.iterate(wave, self._schedule), frames)
            sounds.append(sound)
            tails.append(left)
        self._tails, self._level = tails, shared[frames - 1]
        settled = np.stack(sounds)
        lead, self._lead = self._lead, max(0, self._lead - settled.shape[1])
        return settled[:, lead:]

    def _phases(self, level: Floats, *, loop: bool) -> Floats:
        """Phases [N, win // 2 + 1] to start from, continued from the frame before where there is one."""
        if self._tails is None or self._level is None:
            return first_phases(level, self._grid, loop=loop)
        known = np.angle(np.sum([tail.spectrum for tail in self._tails], axis=0)[::2])
        return first_phases(np.concatenate([self._level[None], level]), self._grid, known)[1:]


def first_phases(level: Floats, grid: Grid, known: Floats | None = None, *, loop: bool = False) -> Floats:
    """`start_phases` [N, win // 2 + 1] on a grid, whose every second bin is one of the window's own FFT."""
    return start_phases(level, grid.spacing[::2] * np.float32(0.5), grid.hop, grid.win, known, loop=loop)


def log_magnitudes(target: Floats, grid: Grid) -> Floats:
    """Log magnitudes [N, win // 2 + 1] between the bands of mel magnitudes [N, B]."""
    level = np.empty((len(target), grid.win // 2 + 1), dtype=np.float32)
    floor = np.float32(max(_MIN_LEVEL * float(target.max()), 1e-30))
    interpolate_level(target, grid.area, grid.below[::2], grid.share[::2], floor, level)
    level[:, : -(-grid.low // 2)] = level[:, -(-grid.high // 2) :] = np.log(floor)  # its bins are every second one
    return level


def frame_weights(target: Floats, full: float) -> Floats:
    """Inverse loudness [N] of mel magnitudes [N, B], relative to a loud magnitude."""
    loudness = np.sqrt(np.mean(np.square(target), axis=1)) / np.float32(full)
    weights: Floats = 1 / np.maximum(loudness, np.float32(_MIN_LOUDNESS))
    return weights
