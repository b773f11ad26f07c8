from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from riffusion.audio.decode import decode_audio
from riffusion.errors import UnreadableMedia


def test_samples_come_through_exactly(music: Tensor, wav: Callable[..., bytes]) -> None:
    decoded = decode_audio(wav(music, subtype="FLOAT"), max_seconds=10)
    assert decoded.dtype == torch.float32
    assert torch.equal(decoded, music)


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000, 192_000])
def test_every_rate_is_resampled_in_place(rate: int, wav: Callable[..., bytes]) -> None:
    """A tone stays the tone it was, where it was."""
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(rate) / rate)
    decoded = decode_audio(wav(tone[None], rate, "FLOAT"), max_seconds=10)
    expected = 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(44_100) / 44_100)
    assert decoded.shape[1] == pytest.approx(44_100, abs=2)
    assert float((decoded[0, 2000:40_000] - expected[2000:40_000]).abs().max()) < 1e-3


def test_mono_stays_mono(make_file: Callable[..., Path]) -> None:
    assert decode_audio(make_file("a.mp3"), max_seconds=10).shape[0] == 1


@pytest.mark.parametrize("channels", [3, 4, 6, 8])
def test_many_channels_become_two_and_do_not_clip(channels: int, wav: Callable[..., bytes]) -> None:
    loud = torch.full((channels, 4000), 0.99)
    decoded = decode_audio(wav(loud), max_seconds=10)
    assert decoded.shape[0] == 2
    assert 0.3 < float(decoded[:, 2000].min()) <= float(decoded[:, 2000].max()) <= 1


def test_surround_keeps_its_sides(wav: Callable[..., bytes]) -> None:
    surround = torch.zeros(6, 4000)
    surround[0] = 0.5  # front left
    left, right = decode_audio(wav(surround), max_seconds=10)[:, 2000]
    assert left > 0.1
    assert right == 0


def test_what_is_not_finite_is_made_so(wav: Callable[..., bytes]) -> None:
    broken = torch.zeros(1, 4000)
    broken[0, 100:103] = torch.tensor([float("nan"), float("inf"), float("-inf")])
    decoded = decode_audio(wav(broken, subtype="FLOAT"), max_seconds=10)
    assert decoded.isfinite().all()
    assert decoded.abs().max() <= 1


def test_limits_are_the_probes(wav: Callable[..., bytes]) -> None:
    with pytest.raises(UnreadableMedia, match="longer"):
        decode_audio(wav(torch.zeros(1, 16_001), 8000), max_seconds=2)
