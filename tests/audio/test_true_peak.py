import math

import pytest
import torch
from torch import Tensor
from torchaudio.functional import resample

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


@pytest.mark.parametrize("sample", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_finite_peak(sample: float) -> None:
    wave = torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    wave[0, 700] = sample
    assert not math.isfinite(true_peak_db(wave, RATE))


@pytest.mark.parametrize("at", [0, 500, 30_000, 39_960])
@pytest.mark.parametrize("channel", [0, 1])
def test_no_wave_peaks_higher_where_it_was_not_oversampled(at: int, channel: int) -> None:
    """Samples of 0.42 whose signs are the interpolation's own, which makes 1.04 of them, far from a sample of 1."""
    weights = resample(torch.eye(41), RATE, 4 * RATE, lowpass_filter_width=16)[:, 4 * 20 + 2]
    wave = torch.zeros(2, 40_001)
    wave[channel, at : at + 41] = 0.42 * weights.sign()
    wave[0, 15_000] = 1
    whole = resample(wave, RATE, 4 * RATE, lowpass_filter_width=16).abs().max()
    assert whole > 1.03
    assert true_peak_db(wave, RATE) == pytest.approx(20 * math.log10(whole), abs=1e-4)


@pytest.mark.parametrize("rate", [8000, 12_345, 192_000])
@pytest.mark.parametrize("samples", [1, 511, 512, 513, 30_000])
def test_blocks_peak_as_the_whole(rate: int, samples: int) -> None:
    wave = torch.randn(2, samples, generator=torch.Generator().manual_seed(samples))
    whole = resample(wave, rate, 4 * rate, lowpass_filter_width=16).abs().max()
    assert true_peak_db(wave, rate) == pytest.approx(20 * math.log10(max(whole, wave.abs().max())), abs=1e-4)
