"""Phases from magnitudes alone, to start from: phase gradient heap integration.

Z. Průša, P. Balazs and P. L. Søndergaard, "A noniterative method for reconstruction of phase from STFT magnitude",
IEEE/ACM TASLP 25(5), 2017. For a Gaussian window, log magnitude and phase are the real and imaginary part of one
analytic function: the slopes of one give the slopes of the other, and a Hann window is nearly Gaussian. The phase is
integrated from the loudest point outwards, always from the loudest frontier, so that errors stay where it is quiet. The
queue has buckets instead of a heap's exact order, which costs nothing audible.

Shapes: N frames, K = win / 2 + 1 bins of the window's own FFT.
"""

import math

import numpy as np

from riffusion.spectrogram.compiled import compiled
from riffusion.spectrogram.grid import Floats, Ints

# A Gaussian of variance 0.25645 / (2 pi) * win^2 is the closest to a Hann window of length win. A little wider is
# better here: slopes are differences over whole bins, where the window's lobe falls faster than the Gaussian.
_HANN_VARIANCE = 1.12 * 0.25645 / (2 * math.pi)
_BUCKETS = 512
_QUIETEST = math.log(1e-5)  # of the loudest point: below it phases don't matter and stay 0
_DONE = np.float32(-1)


def start_phases(
    level: Floats, spacing: Floats, hop: int, win: int, known: Floats | None = None, *, loop: bool = False
) -> Floats:
    """Phases [N, K], in radians, of an STFT whose Hann window and FFT both have length `win`.

    Args:
        level: natural logarithms of magnitudes, [N, K].
        spacing: of the mel bands around each bin, in bins, [K]. Bands blur what lies between them, so that the
            slopes which place a partial come out too flat; they are steepened by as much as a triangle that wide
            flattens them.
        hop: samples between frames.
        known: phases [K] of the first frame, from which the others follow.
        loop: the last frame is followed by the first.

    The phase of a frame counts from its centre.
    """
    frames, bins = level.shape
    variance = _HANN_VARIANCE * win * win  # of the window, in samples
    bin_width = 2 * math.pi / win
    turn = bin_width * (np.arange(bins) * hop % win)  # of each bin's own frequency from frame to frame
    blurred = 1 + np.square(spacing * bin_width) / 6 * (2 * variance)
    time_slope = hop / (2 * bin_width * variance) * blurred
    limit = spacing * (bin_width * hop)  # a partial lies no farther than the next band
    frequency_slope = -variance * bin_width / (2 * hop)
    # One spare column before each row, and one cell after the last: sentinels that are never entered.
    cells = np.full((frames * (bins + 1) + 1, 4), _DONE)
    steps = np.stack([turn, time_slope, limit], axis=1).astype(np.float32)
    _gradients(level, cells, steps, np.float32(frequency_slope), np.float32(float(level.max()) + _QUIETEST), loop)
    grid = cells[:-1].reshape(frames, bins + 1, 4)[:, 1:]
    if known is not None:
        grid[0, :, 3] = known
    _integrate(cells, bins + 1, known is not None, loop)
    return np.ascontiguousarray(grid[:, :, 3])


@compiled
def _gradients(  # noqa: PLR0917  compiled functions take arguments by position
    level: Floats, cells: Floats, steps: Floats, frequency_slope: np.float32, quietest: np.float32, loop: bool
) -> None:
    """Fills `cells` [N * (K + 1) + 1, 4]: bucket, half the phase advance in time, half that in frequency, and phase 0.

    `level` is [N, K], `steps` [K, 3]: own frequency's advance, slope, and limit of the offset, in radians a frame.
    """
    frames, bins = level.shape
    scale = np.float32(_BUCKETS / -_QUIETEST)
    half = np.float32(0.5)
    for n in range(frames):
        before = n - 1 if n > 0 else (frames - 1 if loop else 0)
        after = n + 1 if n < frames - 1 else (0 if loop else n)
        row = n * (bins + 1) + 1
        for k in range(bins):
            lower, upper = max(k - 1, 0), min(k + 1, bins - 1)
            offset = steps[k, 1] * (level[n, upper] - level[n, lower])
            offset = min(max(offset, -steps[k, 2]), steps[k, 2])
            cells[row + k, 0] = min((level[n, k] - quietest) * scale, np.float32(_BUCKETS - 1))
            cells[row + k, 1] = half * (steps[k, 0] + offset)
            cells[row + k, 2] = half * frequency_slope * (level[after, k] - level[before, k])
            cells[row + k, 3] = 0


@compiled
def _integrate(cells: Floats, stride: int, first_known: bool, loop: bool) -> None:
    """Gives phases to all cells but those under bucket 0: from the first row if it is known, else from the loudest."""
    next_in_bucket = np.empty(len(cells), dtype=np.int32)
    head = np.full(_BUCKETS, -1, dtype=np.int32)
    order = _loudest_first(cells)
    if first_known:
        for cell in range(1, stride):
            bucket = int(max(cells[cell, 0], np.float32(0)))
            cells[cell, 0] = _DONE
            next_in_bucket[cell] = head[bucket]
            head[bucket] = cell
        _spread(cells, stride, loop, head, next_in_bucket, _BUCKETS - 1)
    for cell in order:
        if cells[cell, 0] >= 0:
            bucket = int(cells[cell, 0])
            cells[cell, 0] = _DONE
            next_in_bucket[cell] = -1
            head[bucket] = cell
            _spread(cells, stride, loop, head, next_in_bucket, bucket)


@compiled
def _spread(  # noqa: PLR0917  compiled functions take arguments by position
    cells: Floats, stride: int, loop: bool, head: Ints, next_in_bucket: Ints, top: int
) -> None:
    """Carries phases from the cells in the buckets up to `top` to their neighbours, until no neighbour is left."""
    count = len(cells) - 1
    while top >= 0:
        cell = head[top]
        if cell < 0:
            top -= 1
            continue
        head[top] = next_in_bucket[cell]
        for side in range(4):
            ahead = side % 2 == 0
            axis = 1 + side // 2  # in time, then in frequency
            step = stride if axis == 1 else 1
            other = cell + step if ahead else cell - step
            if axis == 1 and not 0 <= other < count:
                if not loop:
                    continue
                other += -count if ahead else count
            if cells[other, 0] < 0:
                continue
            advance = cells[cell, axis] + cells[other, axis]
            cells[other, 3] = cells[cell, 3] + (advance if ahead else -advance)
            bucket = int(cells[other, 0])
            cells[other, 0] = _DONE
            next_in_bucket[other] = head[bucket]
            head[bucket] = other
            top = max(top, bucket)


@compiled
def _loudest_first(cells: Floats) -> Ints:
    """Cells that are loud enough, in the order of their buckets."""
    at = np.zeros(_BUCKETS + 1, dtype=np.int32)
    for i in range(len(cells)):
        if cells[i, 0] >= 0:
            at[_BUCKETS - int(cells[i, 0])] += 1
    for bucket in range(_BUCKETS):
        at[bucket + 1] += at[bucket]
    order = np.empty(at[_BUCKETS], dtype=np.int32)
    for i in range(len(cells)):
        if cells[i, 0] >= 0:
            bucket = _BUCKETS - 1 - int(cells[i, 0])
            order[at[bucket]] = i
            at[bucket] += 1
    return order
