"""Beat tracking by dynamic programming (D. P. W. Ellis, "Beat Tracking by Dynamic Programming", 2007).

Onsets are found per 10 ms frame; a global tempo follows from their autocorrelation; then the beats are the sequence of
frames with the largest sum of onset strengths and penalties for intervals that differ from the tempo's.
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import stft

_HOP = 441  # 10 ms at 44.1 kHz
_BANDS = 40
_USUAL_BPM, _OCTAVES = 120.0, 1.0  # centre and standard deviation, in octaves, of the preferred tempi
_SLOWEST_BPM, _FASTEST_BPM = 50.0, 210.0
_TIGHTNESS = 100.0  # weight of the penalty for leaving the tempo (Ellis's α)

Floats = npt.NDArray[np.float64]


def onset_strength(samples: npt.NDArray[np.float32]) -> Floats:
    """Onset strength [F] of mono samples [T] at 44.1 kHz, one value per 10 ms frame, standardised.

    It is the mean rise in dB from the frame before, falls counted as 0, over about 40 logarithmic frequency bands.
    """
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
    """The tempo, 50 to 210 beats per minute, of onset strengths [F] at `frame_rate` frames a second.

    It is the lag with the largest autocorrelation times a log-normal preference for tempi near 120 (Ellis's tempo
    period strength).
    """
    lags = np.arange(round(60 * frame_rate / _FASTEST_BPM), round(60 * frame_rate / _SLOWEST_BPM) + 1)
    lags = lags[lags < len(onsets)]
    autocorrelation = np.array([np.dot(onsets[lag:], onsets[:-lag]) for lag in lags])
    preference = np.exp(-0.5 * (np.log2(60 * frame_rate / lags / _USUAL_BPM) / _OCTAVES) ** 2)
    return float(60 * frame_rate / lags[np.argmax(autocorrelation * preference)])


def beat_times(samples: npt.NDArray[np.float32], sample_rate: int) -> Floats:
    """Times [N] in seconds of the beats of mono samples [T] in ±1; empty without onsets.

    A beat at frame t scores its onset strength plus the best, over previous beats τ from half a period to two periods
    before, of that beat's score - α · ln²((t - τ) / period) (Ellis's recursion).
    """
    onsets = onset_strength(samples)
    if not np.any(onsets > 0) or len(onsets) < sample_rate / _HOP:
        return np.empty(0)
    frame_rate = sample_rate / _HOP
    period = 60 * frame_rate / tempo(onsets, frame_rate)
    steps = np.arange(-round(2 * period), -round(period / 2) + 1)
    penalty = -_TIGHTNESS * np.log(-steps / period) ** 2
    score, previous = onsets.copy(), np.full(len(onsets), -1)
    for frame in range(len(onsets)):
        candidates = frame + steps
        reachable = candidates >= 0
        if not reachable.any():
            continue
        scores = score[candidates[reachable]] + penalty[reachable]
        best = int(np.argmax(scores))
        if scores[best] > 0:
            score[frame] += scores[best]
            previous[frame] = candidates[reachable][best]
    beats = [int(np.argmax(score[-round(period) :])) + len(score) - min(len(score), round(period))]
    while previous[beats[-1]] >= 0:
        beats.append(int(previous[beats[-1]]))
    return np.array(beats[::-1]) / frame_rate
