import math

import pytest
import torch
from torch import Tensor

from riffusion.audio.loudness import loudness_lufs, normalize_loudness
from riffusion.audio.true_peak import true_peak_db

RATE = 44_100


def tone(hertz: float, amplitude: float, seconds: float = 2) -> Tensor:
    return amplitude * torch.sin(2 * torch.pi * hertz * torch.arange(int(seconds * RATE)) / RATE)[None]


def test_the_standards_own_example() -> None:
    """BS.1770: a 997 Hz tone of 0 dB on one channel reads -3.01 LKFS."""
    assert loudness_lufs(tone(997, 1), RATE) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("amplitude", [0.001, 0.1, 2.0])
def test_any_level_becomes_the_target(amplitude: float) -> None:
    assert loudness_lufs(normalize_loudness(tone(440, amplitude), RATE), RATE) == pytest.approx(-14, abs=0.05)


def test_the_ceiling_wins_over_the_target() -> None:
    clicks = torch.zeros(1, 2 * RATE)
    clicks[0, ::9000] = 0.5
    out = normalize_loudness(clicks, RATE)
    assert true_peak_db(out, RATE) == pytest.approx(-1, abs=0.01)
    assert loudness_lufs(out, RATE) < -14


def test_one_gain_for_all_samples_and_channels() -> None:
    wave = torch.cat([tone(440, 0.3), tone(660, 0.1)])
    out = normalize_loudness(wave, RATE)
    ratio = (out / wave)[wave.abs() > 0.01]
    assert float(ratio.max() - ratio.min()) < 1e-4


@pytest.mark.parametrize("samples", [1, 441, 17_000])
def test_clips_shorter_than_a_measured_block(samples: int) -> None:
    out = normalize_loudness(tone(440, 0.01)[:, 20 : 20 + samples], RATE)
    assert out.isfinite().all()
    assert out.abs().max() > 0.05


@pytest.mark.parametrize("amplitude", [1e-25, 1e-3, 1e15])
def test_what_loudness_can_not_measure_gets_the_peak(amplitude: float) -> None:
    """The standard's filter removes a tone of 1 Hz, down to its absolute gate."""
    out = normalize_loudness(tone(1, amplitude), RATE)
    assert true_peak_db(out, RATE) == pytest.approx(-1, abs=0.01)


@pytest.mark.parametrize(
    "wave", [torch.full((1, 9), 1e-40), torch.zeros(1, 50_000), torch.zeros(2, 10), torch.zeros(1, 0)]
)
def test_silence_stays_silence(wave: Tensor) -> None:
    assert torch.equal(normalize_loudness(wave, RATE), wave)
    assert loudness_lufs(wave, RATE) == -math.inf
