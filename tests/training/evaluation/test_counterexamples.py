"""Faults that the judge has to reject."""

import numpy as np
import pytest

from riffusion.training.evaluation.counterexamples import FAULTS, Floats, counterexample, difference


def _notes(rows: tuple[int, ...]) -> Floats:
    """Two notes of four partials, one after the other; the second's partials lie 20 rows higher."""
    loudness = np.zeros((512, 512), np.float32)
    for row in rows:
        for offset, level in ((-1, 0.5), (0, 0.9), (1, 0.5)):
            loudness[row + offset, 20:240] = level
            loudness[row + offset + 20, 270:490] = level
    return loudness


_NOTE, _OTHER = _notes((40, 200, 300, 400)), _notes((50, 170, 260, 350))


def _made(fault: str, strength: float, seed: int = 3) -> Floats:
    return counterexample(fault, _NOTE, _OTHER, strength, np.random.default_rng(seed))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_grows_with_its_strength_from_almost_nothing(fault: str) -> None:
    changes = [
        np.mean([difference(_made(fault, strength, seed), _NOTE) for seed in range(8)]) for strength in (-1, 0, 1)
    ]
    assert changes[0] < 0.02
    assert changes[0] < changes[1] < changes[2]
    assert changes[2] > 0.12


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_picture_is_still_a_picture(fault: str) -> None:
    made = _made(fault, 1)
    assert made.shape == (512, 512)
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("fault", ["inharmonic", "drifting", "mixed", "loose"])
def test_the_fundamentals_stay_where_only_the_partials_are_wrong(fault: str) -> None:
    made = _made(fault, 1)
    np.testing.assert_array_equal(made[:50], _NOTE[:50])
    assert difference(made[150:], _NOTE[150:]) > 0.2


def test_a_bent_note_moves_all_its_partials_by_the_same_interval() -> None:
    made = _made("bent", 1)
    assert difference(made[30:70], _NOTE[30:70]) > 0.1
    assert difference(made[390:430], _NOTE[390:430]) > 0.1
