import math

import pytest
import torch
from torch import Tensor

from riffusion.audio.sound_check import audible_db, check_sound
from riffusion.errors import BrokenSound, InaudibleSound

RATE = 44_100


def tone(hertz: float, samples: int = RATE) -> Tensor:
    return 0.5 * torch.sin(2 * torch.pi * hertz * torch.arange(samples) / RATE)[None]


def changed(index: int, value: float) -> Tensor:
    wave = tone(440)
    wave[0, index] = value
    return wave


@pytest.mark.parametrize(
    ("wave", "words"),
    [
        (tone(440, RATE - 1), "44099 samples instead of 44100"),
        (changed(0, math.nan), "not finite"),
        (changed(RATE - 1, -math.inf), "not finite"),
        (changed(99, -1.01), "clipped"),
    ],
    ids=["length", "nan", "inf", "clipped"],
)
@pytest.mark.parametrize("silent", [False, True])
def test_broken_sounds_are_refused(wave: Tensor, words: str, silent: bool) -> None:
    with pytest.raises(BrokenSound, match=words):
        check_sound(wave, RATE, samples=RATE, silent=silent)


@pytest.mark.parametrize(
    "wave",
    [torch.zeros(2, RATE), torch.full((1, RATE), 0.9), tone(8), 1e-5 * tone(440), torch.full((1, 1), 0.5)],
    ids=["silence", "constant", "infrasound", "faint", "one sample"],
)
def test_what_can_not_be_heard_is_refused_unless_it_may_be_silent(wave: Tensor) -> None:
    check_sound(wave, RATE, samples=wave.shape[1], silent=True)
    with pytest.raises(InaudibleSound):
        check_sound(wave, RATE, samples=wave.shape[1], silent=False)


@pytest.mark.parametrize("at", [0, 1, 17_000, 2 * RATE - 1])
def test_a_click_is_heard_wherever_it_is(at: int) -> None:
    click = torch.zeros(1, 2 * RATE)
    click[0, at : at + 20] = 0.8
    check_sound(click, RATE, samples=2 * RATE, silent=False)


@pytest.mark.parametrize("wave", [tone(30), tone(440, 441), torch.cat([torch.zeros(1, RATE), tone(440)])])
def test_what_can_be_heard_passes(wave: Tensor) -> None:
    check_sound(wave, RATE, samples=wave.shape[1], silent=False)


@pytest.mark.parametrize(("hertz", "weight"), [(31.5, -39.4), (100, -19.1), (1000, 0), (8000, -1.1), (16_000, -6.6)])
def test_levels_are_a_weighted(hertz: float, weight: float) -> None:
    """The standard's table of nominal weights."""
    assert audible_db(tone(hertz, 3 * RATE), RATE) == pytest.approx(-9.03 + weight, abs=0.2)
