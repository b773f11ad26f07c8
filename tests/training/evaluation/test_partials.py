"""What the features of partials measure, on synthetic notes."""

import numpy as np

from riffusion.geometry import DEFAULT
from riffusion.training.evaluation.partials import Floats, lead_pitch, partials, pitch_disagreement


def _tone(hertz: list[float], frames: int = 512) -> Floats:
    """A steady sound of the given partials."""
    rows = np.arange(512)[:, None]
    places = 511 - np.array([DEFAULT.row(each) for each in hertz])
    spectrum = np.exp(-(((rows - places) / 1.5) ** 2)).sum(1).clip(0, 1).astype(np.float32)
    tone: Floats = spectrum[:, None].repeat(frames, 1)
    return tone


def _harmonics(pitch: float, stretch: float = 0) -> list[float]:
    return [n * pitch * (1 + stretch * (n > 3)) for n in range(1, 9)]


def test_the_pitch_of_a_harmonic_note_is_found() -> None:
    pitch, strength = lead_pitch(_tone(_harmonics(440)))
    np.testing.assert_allclose(pitch, 69, atol=0.2)
    assert (strength > 1).all()


def test_partials_that_do_not_line_up_are_less_of_a_pitch() -> None:
    in_tune, out_of_tune = (lead_pitch(_tone(_harmonics(440, stretch)))[1].mean() for stretch in (0, 0.06))
    assert out_of_tune < 0.8 * in_tune


def test_notes_of_one_timbre_have_the_same_relative_spectrum() -> None:
    """The spectrum relative to the pitch spreads where the upper partials don't follow the fundamental."""
    low, high = _tone(_harmonics(440), 256), _tone(_harmonics(550), 256)
    together = np.concatenate([low, high], axis=1)
    loose = together.copy()
    loose[150:] = np.concatenate([high, low], axis=1)[150:]
    assert _spread(together) < 0.7 * _spread(loose)


def _spread(loudness: Floats) -> float:
    """The part of the features that holds the relative spectrum's spread, summed."""
    return float(partials(loudness)[3 * 120 : 4 * 120].sum())


def test_features_of_silence_are_finite() -> None:
    assert np.isfinite(partials(np.zeros((512, 512), np.float32))).all()


def test_partials_of_two_notes_disagree_on_the_pitch() -> None:
    assert pitch_disagreement(_tone(_harmonics(440))) < 0.2
    assert pitch_disagreement(_tone(_harmonics(440, stretch=0.04))) > 0.4
    assert np.isnan(pitch_disagreement(np.zeros((512, 512), np.float32)))
