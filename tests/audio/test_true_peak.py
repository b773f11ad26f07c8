import math

import pytest
import torch
from torch import Tensor

from riffusion.audio.true_peak import CEILING_DB, limit_true_peak, true_peak_db

RATE = 44_100


@pytest.fixture
def between() -> Tensor:
    """A quarter of the rate, sampled 45 degrees off its peaks, 3 dB below them."""
    return math.sqrt(0.5) * torch.tensor([1.0, 1, -1, -1]).repeat(5000)[None]


def test_peaks_between_samples_are_found(between: Tensor) -> None:
    assert 20 * math.log10(float(between.abs().max())) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_db(between, RATE) == pytest.approx(0, abs=0.2)


def test_a_peak_over_the_ceiling_is_brought_under_it(between: Tensor) -> None:
    limited = limit_true_peak(between, true_peak_db(between, RATE))
    assert CEILING_DB - 0.1 < true_peak_db(limited, RATE) <= CEILING_DB
    assert float((limited / between).std()) < 1e-6  # one gain for all


def test_a_peak_under_the_ceiling_is_left_alone(between: Tensor) -> None:
    quiet = 0.5 * between
    assert torch.equal(limit_true_peak(quiet, true_peak_db(quiet, RATE)), quiet)


@pytest.mark.parametrize("samples", [0, 10])
def test_silence_has_no_peak(samples: int) -> None:
    assert true_peak_db(torch.zeros(2, samples), RATE) == -math.inf
