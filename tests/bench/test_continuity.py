"""What bench/continuity.py measures without judges: pure functions on notes and onsets made here."""

import numpy as np
import numpy.typing as npt
import pytest
from outside import hold
from outside.judges.onsets import RATE

SECONDS = 5.12
C_MAJOR, C_SHARP_MAJOR = (60, 62, 64, 65, 67, 69, 71), (61, 63, 65, 66, 68, 70, 72)


def played(*pitches: int) -> npt.NDArray[np.float64]:
    return np.array([[n, n + 1.0, pitch, 1.0] for n, pitch in enumerate(pitches)], np.float64).reshape(-1, 4)


def pulses(bpm: float, offset: float = 0.0) -> npt.NDArray[np.float64]:
    """Onsets [F] on the beat of a tempo, the first after so many beats."""
    onsets = np.zeros(round(SECONDS * RATE))
    beat = 60 / bpm
    onsets[np.round(np.arange(offset * beat, SECONDS - 0.01, beat) * RATE).astype(int)] = 1.0
    return onsets


def test_notes_are_cut_to_their_window() -> None:
    cut = hold.notes_within(played(60, 62, 64), 0.5, 1.5)
    assert cut[:, :3].tolist() == [[0.5, 1.0, 60.0], [1.0, 1.5, 62.0]]


def test_windows_in_one_key_and_in_two() -> None:
    assert hold.one_key(played(*C_MAJOR), played(*C_MAJOR[:4])) == 1
    assert hold.one_key(played(*C_MAJOR), played(*C_SHARP_MAJOR)) < 0.8
    assert np.isnan(hold.one_key(played(60), played()))


@pytest.mark.parametrize("bpm", [66.0, 93.75, 174.0])
def test_a_beat_that_goes_on_does_not_jump(bpm: float) -> None:
    ahead = -SECONDS * bpm / 60 % 1
    first, second = hold.beat_of(pulses(bpm), bpm), hold.beat_of(pulses(bpm, ahead), bpm)
    assert hold.beat_jump(first, second, SECONDS) < 0.05


@pytest.mark.parametrize("missed", [0.25, 0.5])
def test_a_jump_is_measured_in_beats(missed: float) -> None:
    ahead = (missed - SECONDS * 2) % 1
    first, second = hold.beat_of(pulses(120.0), 120.0), hold.beat_of(pulses(120.0, ahead), 120.0)
    assert hold.beat_jump(first, second, SECONDS) == pytest.approx(missed, abs=0.05)


def test_a_tempo_that_is_a_little_off_is_no_jump() -> None:
    first, second = hold.beat_of(pulses(121.5), 120.0), hold.beat_of(pulses(121.5, -SECONDS * 2.025 % 1), 120.0)
    assert hold.beat_jump(first, second, SECONDS) < 0.06


def test_features_are_alike_by_their_direction() -> None:
    assert hold.alike(np.array([1.0, 2.0]), np.array([2.0, 4.0])) == pytest.approx(1)
    assert hold.alike(np.array([1.0, 0.0]), np.array([0.0, 3.0])) == pytest.approx(0)
