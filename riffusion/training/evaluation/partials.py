"""Features of the partials in a picture: where they stand relative to the pitch, and whether they move with it.

In every fourth frame the lead's pitch is estimated by a harmonic sum (D. J. Hermes, "Measurement of pitch by
subharmonic summation", 1988) less the level between the harmonics. The spectrum relative to that pitch is the same for
all notes of an instrument, and spreads where the partials don't follow the fundamental.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riffusion.geometry import DEFAULT, hertz_to_mel

Floats = npt.NDArray[np.float32]

_SEMITONE, _BINS = 8, 96  # bins of the logarithmic spectrum to a semitone, and to an octave
_LOWEST_HZ, _LOWEST_MIDI, _OCTAVES = 32.7, 24, 8.2  # C1 to 9.6 kHz
_SIZE = round(_OCTAVES * _BINS)
_PITCHES = slice(
    17 * _SEMITONE, 75 * _SEMITONE
)  # the candidates for the lead's pitch: F2, below the cello's lowest note, to D7
_ABOVE = 4 * _BINS  # of the relative spectrum; an octave lies below
_NEAR = 10  # bins around a harmonic, 1.25 semitones either way
_ALIGNED = 6  # harmonics


MEL_STEP = hertz_to_mel(DEFAULT.max_hz) / (DEFAULT.frequencies + 1)
"""From one band's centre to the next, in mel; the first centre is one step above 0."""


def band_of(hertz: float) -> float:
    """The position of a frequency among the bands' centres, from 0."""
    return hertz_to_mel(hertz) / MEL_STEP - 1


@dataclass(frozen=True)
class _Track:
    """The lead's estimated pitch in every fourth frame, and how well the harmonics agree with it."""

    low: Floats
    """Salience [candidates, frames] of each pitch by its first harmonics,"""
    high: Floats
    """and by those above."""
    pitch: npt.NDArray[np.intp]
    """The candidate with the highest salience [frames],"""
    strength: Floats
    """and that salience [frames]."""
    around: Floats
    """Loudness [bins, frames] from an octave below that pitch to four octaves above."""


def lead_pitch(loudness: Floats) -> tuple[Floats, Floats]:
    """MIDI pitch and salience [128] of the lead in every fourth frame of loudness [512 mel bands, 512 frames]."""
    track = _track(loudness)
    return (_LOWEST_MIDI + (_PITCHES.start + track.pitch) / _SEMITONE).astype(np.float32), track.strength


def _track(loudness: Floats) -> _Track:
    spectrum = _logarithmic(loudness[:, ::4])
    padded = np.pad(spectrum, ((_BINS, _ABOVE + _BINS), (0, 0)))
    low, high = _salience(padded, (1, 2, 3)), _salience(padded, (4, 5, 6, 7, 8))
    total = low + high
    pitch = total.argmax(0)
    around = padded[pitch + _PITCHES.start + np.arange(_BINS + _ABOVE)[:, None], np.arange(len(pitch))]
    return _Track(low, high, pitch, np.maximum(total.max(0), 0), around)


def partials(loudness: Floats) -> Floats:
    """Features [F] of loudness [512 mel bands from low to high, 512 frames], 0 to 1."""
    track = _track(loudness)
    rise = np.maximum(np.diff(loudness.mean(0), prepend=0), 0).reshape(-1, 4).max(1)
    heard = _heard(track)
    attack = (rise >= np.quantile(rise, 0.85)) & heard
    steady = (rise <= np.quantile(rise, 0.6)) & heard
    means = [_mean(track.around, group) for group in (heard, attack, steady)]
    spread = np.sqrt(np.maximum(_mean(track.around**2, heard) - means[0] ** 2, 0))
    tenths = np.linspace(0.1, 1, 10)
    return np.concatenate(
        [
            *(each.reshape(-1, 4).mean(1) for each in (*means, spread)),
            _alignment(track.around, heard),
            _alignment(track.around, steady),
            _agreement(track, heard),
            _tuning(track.pitch, heard),
            np.quantile(track.strength, tenths),
            np.quantile(track.high[track.pitch, np.arange(len(track.pitch))], tenths),
            [1 - heard.mean()],
        ]
    ).astype(np.float32)


def pitch_disagreement(loudness: Floats) -> float:
    """How far the pitch of the partials up to the third lies from that of those above it, in semitones.

    The mean over the frames of loudness [512 mel bands, 512 frames] in which a pitch is heard; NaN where there is none.
    """
    track = _track(loudness)
    apart = _apart(track, _heard(track))
    return float(np.abs(apart).mean()) / _SEMITONE if len(apart) else math.nan


def _heard(track: _Track) -> npt.NDArray[np.bool_]:
    """Where [frames] a pitch is heard."""
    heard: npt.NDArray[np.bool_] = track.strength >= 0.3 * np.quantile(track.strength, 0.9) + 1e-6
    return heard


@functools.cache
def _places() -> tuple[npt.NDArray[np.intp], Floats]:
    """The row below each logarithmic bin, and the weight of the row above it [bins, 1]."""
    hertz = _LOWEST_HZ * 2 ** (np.arange(_SIZE) / _BINS)
    rows = np.array([band_of(each) for each in hertz])
    rows = rows.clip(0, DEFAULT.frequencies - 1.001)
    return rows.astype(np.intp), (rows % 1).astype(np.float32)[:, None]


def _logarithmic(loudness: Floats) -> Floats:
    """Loudness [bins, frames] at logarithmic frequencies, of loudness [512 mel bands, frames]."""
    rows, weight = _places()
    spectrum: Floats = loudness[rows] * (1 - weight) + loudness[rows + 1] * weight
    return spectrum


def _salience(padded: Floats, harmonics: tuple[int, ...]) -> Floats:
    """How far the harmonics stand out from between them [pitches, frames], for each candidate pitch."""

    def at(multiple: float) -> Floats:
        shift = _BINS + round(_BINS * np.log2(multiple))
        return padded[_PITCHES.start + shift : _PITCHES.stop + shift]

    salience: Floats = sum(0.85 ** (n - 1) * (at(n) - 0.5 * at(n - 0.5) - 0.5 * at(n + 0.5)) for n in harmonics)
    return salience


def _mean(values: Floats, group: npt.NDArray[np.bool_]) -> Floats:
    """Mean [R] of values [R, frames] over the frames of a group; zeros without any."""
    result: Floats = values[:, group].mean(1) if group.any() else np.zeros(len(values), np.float32)
    return result


def _alignment(around: Floats, group: npt.NDArray[np.bool_]) -> Floats:
    """Mean level around each harmonic, and the mean and spread of its peak's offset from the harmonic's place."""
    offsets = np.arange(-_NEAR, _NEAR + 1)
    result: list[Floats] = []
    for n in range(1, _ALIGNED + 1):
        centre = _BINS + round(_BINS * np.log2(n))
        near = around[centre + offsets][:, group]
        profile = _mean(near, np.ones(near.shape[1], bool))
        peaks = offsets[near.argmax(0)] if near.shape[1] else np.zeros(1)
        moments = [peaks.mean(), np.abs(peaks).mean(), peaks.std()]
        result += [profile[::2], np.array(moments, np.float32)]
    return np.concatenate(result)


def _agreement(track: _Track, group: npt.NDArray[np.bool_]) -> Floats:
    """How far the pitch of the low harmonics lies from that of the high ones: moments and a histogram."""
    apart = _apart(track, group)
    if not len(apart):
        return np.zeros(8, np.float32)
    counts = np.histogram(np.abs(apart), (0, 1, 2, 4, 7, 11, 21))[0] / len(apart)
    return np.array([*counts, np.abs(apart).mean(), apart.std()], np.float32)


def _apart(track: _Track, group: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """The pitch of the low harmonics less that of the high ones [frames of the group], in bins."""
    frames = np.flatnonzero(group)
    near = (track.pitch[frames] + np.arange(-_NEAR, _NEAR + 1)[:, None]).clip(0, len(track.low) - 1)
    apart: npt.NDArray[np.intp] = track.low[near, frames].argmax(0) - track.high[near, frames].argmax(0)
    return apart


def _tuning(pitch: npt.NDArray[np.intp], group: npt.NDArray[np.bool_]) -> Floats:
    """Histograms of the pitch within its semitone, and of its steps from frame to frame."""
    within = np.bincount(pitch[group] % _SEMITONE, minlength=_SEMITONE) / max(group.sum(), 1)
    steps = np.abs(np.diff(pitch))[group[1:] & group[:-1]]
    counts = np.histogram(steps, (0, 1, 2, 3, 5, 9, 17, 1000))[0] / max(len(steps), 1)
    return np.concatenate([within, counts]).astype(np.float32)
