"""Pictures whose instrument sounds wrong, made from pictures of real clips, for the judge to reject.

Each fault has a mild and a strong end. At the mild end a listener just notices; what is milder still counts as right.
Pictures are loudness [512 mel bands from low to high, 512 frames], 0 to 1: the fourth root of a magnitude.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, map_coordinates

from riffusion.geometry import mel_to_hertz
from riffusion.training.evaluation.partials import MEL_STEP, band_of, lead_pitch

Floats = npt.NDArray[np.float32]
Fault = Callable[[Floats, Floats, float, np.random.Generator], Floats]

_BANDS, _FRAMES = 512, 512


def counterexample(fault: str, loudness: Floats, other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """The picture `loudness` with a fault.

    Args:
        fault: one of `FAULTS`.
        other: a picture of another instrument.
        strength: 0 (mild) to 1 (strong); from -1 to 0, weaker than what a listener notices, down to nothing.
    """
    return FAULTS[fault](loudness, other, strength, rng).clip(0, 1)


def difference(one: Floats, other: Floats) -> float:
    """How much two pictures differ, 0 to 1: in a clip of few partials, a fault of the partials may change nothing."""
    return float(np.abs(one**2 - other**2).sum() / (np.maximum(one, other) ** 2).sum().clip(1e-6))


def _between(mild: float, strong: float, strength: float) -> float:
    """The size of a fault: `mild` at 0, `strong` at 1, nothing at -1."""
    return float(np.interp(strength, (-1, 0, 1), (0, mild, strong)))


def _wave(size: int, scale: float, rng: np.random.Generator, rows: int = 1) -> Floats:
    """Smooth noise [rows, size] with standard deviation 1, which changes over about `scale` places."""
    noise = gaussian_filter1d(rng.standard_normal((rows, size + 8 * int(scale))), scale, axis=1)
    noise = noise[:, 4 * int(scale) :][:, :size] * np.sqrt(2 * np.sqrt(np.pi) * scale)
    wave: Floats = noise.astype(np.float32)
    return wave


def _displaced(loudness: Floats, rows: Floats) -> Floats:
    """Each place [512, 512] takes the level of the place so many rows above it."""
    places = np.broadcast_to(np.arange(_BANDS, dtype=np.float32)[:, None], loudness.shape) + rows
    frames = np.broadcast_to(np.arange(loudness.shape[1], dtype=np.float32), loudness.shape)
    moved: Floats = map_coordinates(loudness, [places, frames], order=1, mode="nearest")
    return moved


def _fundamentals_stay(rows: Floats, rng: np.random.Generator) -> Floats:
    """The displacement [512, 512], faded in above the fundamentals."""
    first = rng.uniform(60, 150)
    return rows * np.clip((np.arange(_BANDS, dtype=np.float32)[:, None] - first) / 12, 0, 1)


def _steps(count: int, longest: float, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """The number [count] of the band or stretch that each place belongs to; their lengths are random."""
    starts = rng.random(count) < 1.5 / longest
    return np.cumsum(starts).astype(np.intp)


def _inharmonic(loudness: Floats, _other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Bands of rows stand too high or too low, each by its own distance: partials that no pitch has."""
    bands = _steps(_BANDS, rng.uniform(20, 60), rng)
    distance = rng.choice([-1.0, 1.0], bands[-1] + 1) * rng.uniform(0.7, 1.3, bands[-1] + 1)
    rows = (_between(2.5, 9, strength) * distance[bands])[:, None].astype(np.float32)
    return _displaced(loudness, _fundamentals_stay(rows, rng))


def _drifting(loudness: Floats, _other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Bands of rows drift, each on its own, slowly or from note to note."""
    bands = _steps(_BANDS, rng.uniform(20, 80), rng)
    paths = _wave(_FRAMES, rng.uniform(8, 60), rng, rows=bands[-1] + 1)
    return _displaced(loudness, _fundamentals_stay(_between(2.5, 8, strength) * paths[bands], rng))


def _bent(loudness: Floats, _other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """All partials slide together by a share of their frequency: the pitch wobbles off the notes of the scale."""
    cents = _between(40, 150, strength) * _wave(_FRAMES, rng.uniform(8, 50), rng)
    hertz = np.array([mel_to_hertz(MEL_STEP * (band + 1)) for band in range(_BANDS)])
    bands_per_cent = hertz / (hertz + 700) * (2595 / np.log(10)) * (np.log(2) / 1200) / MEL_STEP
    return _displaced(loudness, (bands_per_cent[:, None] * cents).astype(np.float32))


def _blurred(loudness: Floats, _other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """Partials are too broad, or attacks too slow, or both."""
    which = int(rng.choice(3, p=[0.4, 0.3, 0.3]))
    if which != 1:
        loudness = gaussian_filter1d(loudness, max(_between(2, 6, strength), 0.01), axis=0)
    if which != 0:
        loudness = gaussian_filter1d(loudness, max(_between(7, 25, strength), 0.01), axis=1)
    return loudness


def _crossover(low: Floats, high: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """The fundamentals of `low` and the upper partials of `high`: at 0 from the fourth on, at 1 from the second on."""
    pitch, salience = lead_pitch(low)
    highest = 440 * 2 ** ((np.quantile(pitch[salience >= np.median(salience)], 0.9) - 69) / 12)
    rows = [band_of(float(multiple * highest)) for multiple in (3.5, 1.5)]
    row = np.interp(strength, (-1, 0, 1), (1.2 * _BANDS, *rows))
    above = np.clip((np.arange(_BANDS, dtype=np.float32)[:, None] - row * rng.uniform(0.95, 1.05)) / 12, 0, 1)
    return low + above * (high - low)


def _loose(loudness: Floats, _other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """The fundamentals move, but the upper partials stay, or are those of other notes."""
    if rng.random() < 0.4:
        late = gaussian_filter1d(loudness, rng.uniform(40, 200), axis=1)
    else:
        late = np.roll(loudness, int(rng.uniform(20, 120)), axis=1)
    return _crossover(loudness, late, strength, rng)


def _hazy(loudness: Floats, _other: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """A haze that never stops lies over the notes."""
    tilt = np.linspace(1.15, rng.uniform(0.6, 1.0), _BANDS)[:, None]
    level = _between(0.25, 0.42, strength) * tilt * (1 + 0.15 * _wave(_FRAMES, 2, rng, rows=_BANDS))
    magnitude = loudness**4 + gaussian_filter1d(level.clip(0), 2, axis=0) ** 4
    hazy: Floats = (magnitude**0.25).astype(np.float32)
    return hazy


FAULTS: dict[str, Fault] = {
    "inharmonic": _inharmonic,
    "drifting": _drifting,
    "bent": _bent,
    "blurred": _blurred,
    "mixed": _crossover,  # the upper partials are another instrument's
    "loose": _loose,
    "hazy": _hazy,
}
