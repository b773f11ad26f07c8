"""Measures of a sound that need neither words nor a trained judge; notes come from basic-pitch.

Notes are rows [N, 4]: start and end in seconds, MIDI pitch, loudness.
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import stft

Floats = npt.NDArray[np.float64]

_RATE = 100  # frames a second of what counts notes
_LONG_WINDOW = 8192  # samples: 186 ms at 44.1 kHz, so that partials of 100 Hz and more lie apart
_PARTIALS = 12
_PARTIAL_CENTS = 30.0  # as far from its place a partial may lie
_ATTACK_WINDOW, _ATTACK_HOP = 1024, 441  # samples at 44.1 kHz: 23 and 10 ms
_ATTACK_BANDS = 40
_LOUDEST_ONSETS = 8
_DYNAMICS_DB = 60.0  # what lies further below the loudest band is inaudible
_SEMITONE_CENTS = 100.0
RANDOM_CENTS = 25.0
"""How far pitches drawn at random lie from the nearest semitone, in the mean."""


def voices(notes: Floats, seconds: float) -> npt.NDArray[np.int64]:
    """How many notes sound in each hundredth [F] of a second."""
    counts = np.zeros(round(seconds * _RATE), np.int64)
    for start, end, *_ in notes:
        counts[round(start * _RATE) : round(end * _RATE)] += 1
    return counts


def polyphony(notes: Floats, seconds: float) -> float:
    """The mean number of voices at once, where there is one; 0 without notes."""
    counts = voices(notes, seconds)
    return float(counts[counts > 0].mean()) if counts.any() else 0.0


def silent_share(notes: Floats, seconds: float) -> float:
    """The share of the time in which no note is heard."""
    return float((voices(notes, seconds) == 0).mean())


def harmonicity(samples: npt.NDArray[np.float32], rate: int, notes: Floats) -> float:
    """The share of the notes' energy that lies on their partials, 0 to 1; NaN without notes.

    In each frame in which notes sound: the energy within 30 cents (or one main lobe of the window) of the first twelve
    partials of any of them, over all energy from three quarters of the lowest fundamental to half a partial above the
    highest twelfth partial. Frames are weighted by their energy.

    Args:
        samples: [T].
    """
    frequencies, times, spectrum = stft(samples, rate, nperseg=_LONG_WINDOW, noverlap=_LONG_WINDOW * 3 // 4)
    power = np.abs(spectrum) ** 2
    on_partials = everything = 0.0
    for frame, time in enumerate(times):
        sounding = {float(pitch) for start, end, pitch, _ in notes if start <= time < end}
        if not sounding:
            continue
        fundamentals = [440 * 2 ** ((pitch - 69) / 12) for pitch in sounding]
        heard = (frequencies >= 0.75 * min(fundamentals)) & (frequencies <= (_PARTIALS + 0.5) * max(fundamentals))
        near = np.zeros_like(heard)
        for fundamental in fundamentals:
            near |= _near_partials(frequencies, fundamental)
        on_partials += float(power[heard & near, frame].sum())
        everything += float(power[heard, frame].sum())
    return on_partials / everything if everything else float("nan")


def _near_partials(frequencies: Floats, fundamental: float) -> npt.NDArray[np.bool_]:
    """Which frequencies [F] in Hz lie near a partial."""
    number = np.clip(np.round(frequencies / fundamental), 1, _PARTIALS)
    main_lobe = 2 * frequencies[1]  # half of a Hann window's
    allowed = np.maximum((2 ** (_PARTIAL_CENTS / 1200) - 1) * number * fundamental, main_lobe)
    near: npt.NDArray[np.bool_] = np.abs(frequencies - number * fundamental) <= allowed
    return near


def onset_peak(samples: npt.NDArray[np.float32]) -> float:
    """How far the level jumps at the eight sharpest onsets, in dB within 10 ms: the mean rise of 40 logarithmic bands.

    Args:
        samples: [T] at 44.1 kHz.
    """
    _, _, spectrum = stft(samples, nperseg=_ATTACK_WINDOW, noverlap=_ATTACK_WINDOW - _ATTACK_HOP)
    power = np.abs(spectrum) ** 2
    edges = np.unique(np.geomspace(1, len(power) // 2, _ATTACK_BANDS + 1).astype(int))
    level = 10 * np.log10(np.add.reduceat(power[: edges[-1]], edges[:-1], axis=0) + 1e-12)
    level = np.maximum(level, level.max() - _DYNAMICS_DB)
    rise = np.maximum(np.diff(level, axis=1), 0).mean(0)
    peaks = rise[1:-1][(rise[1:-1] >= rise[:-2]) & (rise[1:-1] > rise[2:])]
    return float(np.sort(peaks)[-_LOUDEST_ONSETS:].mean()) if len(peaks) else 0.0


def cents_off(pitches: Floats) -> float:
    """How far pitches lie from the nearest semitone of the tuning that fits them best, in cents: the mean, 0 to 50.

    The tuning is the circular mean of the pitches' fractions, so that a sound that is a quarter tone flat as a whole is
    in tune. Pitches drawn at random are `RANDOM_CENTS` off.

    Args:
        pitches: MIDI pitches with their fractions [F]; NaN is returned for none.
    """
    if not len(pitches):
        return float("nan")
    tuning = np.angle(np.exp(2j * np.pi * pitches).mean()) / (2 * np.pi)
    off = np.abs((pitches - tuning + 0.5) % 1 - 0.5)
    return float(off.mean() * _SEMITONE_CENTS)
