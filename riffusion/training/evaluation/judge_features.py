"""Features of a spectrogram picture that the judge classifies by: timbre, partials and rhythm."""

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from riffusion.training.data.music import TEMPI
from riffusion.training.evaluation.partials import partials

Floats = npt.NDArray[np.float32]
FRAMES_PER_SECOND = 100
_BANDS = ((0, 24), (24, 64), (64, 128), (128, 256), (256, 512))  # mel bins: from the bass drum to the cymbals


def loudness_of(picture: npt.NDArray[np.uint8]) -> Floats:
    """Loudness [512 mel bands from low to high, 512 frames], 0 to 1, of a picture's first 512 columns."""
    return ((255 - picture[::-1, :512]) / 255).astype(np.float32)


def features(loudness: Floats) -> Floats:
    """Features [F] of timbre, partials and rhythm of loudness [512 mel bands from low to high, 512 frames]."""
    return np.concatenate([_timbre(loudness), partials(loudness), _rhythm(loudness)]).astype(np.float32)


def _timbre(loudness: Floats) -> Floats:
    """Mean, spread, attack and sustain spectra in 128 bands, and their cepstra, which show the harmonics' spacing.

    Args:
        loudness: [512 mel bands from low to high, 512 frames], 0 to 1.
    """
    rise = np.maximum(np.diff(loudness, axis=1, prepend=loudness[:, :1]), 0)
    attack = rise.mean(0)
    strong = attack >= np.quantile(attack, 0.9)
    steady = attack <= np.quantile(attack, 0.5)
    spectra = [
        loudness.mean(1),
        loudness.std(1),
        rise.mean(1),
        loudness[:, strong].mean(1),
        loudness[:, steady].mean(1),
    ]
    banded = [spectrum.reshape(128, 4).mean(1) for spectrum in spectra]
    cepstra = [dct(spectrum, norm="ortho")[1:81] for spectrum in spectra]
    # Harmonics of single frames, whatever their pitch: the mean magnitude of each frame's own cepstrum.
    frames = np.abs(dct(loudness[:, ::4], axis=0, norm="ortho")[2:202]).mean(1)
    peaks = np.sort(loudness[:, ::4], axis=0)[::-1][[0, 3, 9, 19, 39, 79, 159]].mean(1)
    return np.concatenate([*banded, *cepstra, frames, peaks])


def _rhythm(loudness: Floats) -> Floats:
    """How strongly each band's onsets match the grid of each tempo; `loudness` as in `_timbre`."""
    rise = np.maximum(np.diff(loudness, axis=1, prepend=loudness[:, :1]), 0)
    result: list[Floats] = []
    for low, high in _BANDS:
        onset = rise[low:high].mean(0)
        onset = onset / (onset.std() + 1e-6)
        spectrum = onset - onset.mean()
        correlation = np.correlate(spectrum, spectrum, "full")[len(onset) :] / len(onset)
        result.append(correlation[8:200].astype(np.float32))
        for bpm in TEMPI:
            result.append(_grid(onset, bpm))
    return np.concatenate(result)


def _grid(onset: Floats, bpm: float) -> Floats:
    """Mean onset strengths [8] at the four sixteenths of a beat and at the four beats of a bar, of onsets [frames]."""
    step = 60 / bpm / 4 * FRAMES_PER_SECOND
    places = np.round(np.arange(0, len(onset) - 3, step)).astype(int)
    near = np.maximum.reduce([onset[np.minimum(places + shift, len(onset) - 1)] for shift in (0, 1, 2, 3)])
    quarters = [near[phase::4].mean() for phase in range(4)]
    beats = [near[4 * beat :: 16].mean() for beat in range(4)]
    return np.array([*quarters, *beats], np.float32)
