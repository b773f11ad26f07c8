"""Beat tracking by dynamic programming (D. P. W. Ellis, "Beat Tracking by Dynamic Programming", 2007)."""

import numpy as np
import numpy.typing as npt
from scipy.signal import stft

_HOP = 441  # 10 ms at 44.1 kHz
_BANDS = 40
_USUAL_BPM, _OCTAVES = 120.0, 1.0  # centre and width of the preference among tempi
_SLOWEST_BPM, _FASTEST_BPM = 50.0, 210.0
_TIGHTNESS = 100.0  # how dear it is to leave the tempo

Floats = npt.NDArray[np.float64]


def onset_strength(samples: npt.NDArray[np.float32]) -> Floats:
    """How much louder, in dB summed over bands, each 10 ms frame is than the one before; standardised."""
    _, _, spectrum = stft(samples, nperseg=2048, noverlap=2048 - _HOP)
    power = np.abs(spectrum) ** 2
    edges = np.unique(np.geomspace(2, len(power), _BANDS + 1).astype(int))
    bands = np.add.reduceat(power[: edges[-1]], edges[:-1], axis=0)
    level = 10 * np.log10(bands + 1e-8)
    level = np.maximum(level, level.max() - 80)
    rise: Floats = np.maximum(np.diff(level, axis=1, prepend=level[:, :1]), 0).mean(0)
    standardised: Floats = (rise - rise.mean()) / (rise.std() + 1e-9)
    return standardised


def tempo(onsets: Floats, frame_rate: float) -> float:
    """Beats per minute: the lag at which onsets repeat best, tempi near 120 preferred."""
    lags = np.arange(round(60 * frame_rate / _FASTEST_BPM), round(60 * frame_rate / _SLOWEST_BPM) + 1)
    lags = lags[lags < len(onsets)]
    repeats = np.array([np.dot(onsets[lag:], onsets[:-lag]) for lag in lags])
    preference = np.exp(-0.5 * (np.log2(60 * frame_rate / lags / _USUAL_BPM) / _OCTAVES) ** 2)
    return float(60 * frame_rate / lags[np.argmax(repeats * preference)])


def beat_times(samples: npt.NDArray[np.float32], sample_rate: int) -> Floats:
    """Seconds of the beats of mono samples; empty where nothing ever starts."""
    onsets = onset_strength(samples)
    if not np.any(onsets > 0) or len(onsets) < sample_rate / _HOP:
        return np.empty(0)
    frame_rate = sample_rate / _HOP
    period = 60 * frame_rate / tempo(onsets, frame_rate)
    steps = np.arange(-round(2 * period), -round(period / 2) + 1)
    cost = -_TIGHTNESS * np.log(-steps / period) ** 2
    score, previous = onsets.copy(), np.full(len(onsets), -1)
    for frame in range(len(onsets)):
        before = frame + steps
        reachable = before >= 0
        if not reachable.any():
            continue
        ways = score[before[reachable]] + cost[reachable]
        best = int(np.argmax(ways))
        if ways[best] > 0:
            score[frame] += ways[best]
            previous[frame] = before[reachable][best]
    beats = [int(np.argmax(score[-round(period) :])) + len(score) - min(len(score), round(period))]
    while previous[beats[-1]] >= 0:
        beats.append(int(previous[beats[-1]]))
    return np.array(beats[::-1]) / frame_rate
