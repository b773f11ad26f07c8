import math
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


@pytest.mark.parametrize(
    ("sample", "words"),
    [(math.nan, "not numbers"), (math.inf, "reach inf"), (-math.inf, "reach inf"), (1e36, r"reach 1e\+36"),
     (-66_000.0, r"reach 6.6e\+04")],
)  # fmt: skip
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_no_sound_has_are_refused(
    wav: Callable[..., bytes], sample: float, words: str, subtype: str
) -> None:
    broken = torch.zeros(2, 4000)
    broken[1, 100] = sample
    with pytest.raises(UnreadableMedia, match=words):
        decode_audio(wav(broken, subtype=subtype), max_seconds=10)


def test_16_bit_samples_as_floats_are_taken(wav: Callable[..., bytes], music: Tensor) -> None:
    loud = 32_767 * music / music.abs().max()
    assert torch.equal(decode_audio(wav(loud, subtype="FLOAT"), max_seconds=10), loud)


def test_a_sound_shorter_than_a_sample_is_refused(wav: Callable[..., bytes]) -> None:
    with pytest.raises(UnreadableMedia, match="shorter than one sample"):
        decode_audio(wav(torch.full((1, 1), 0.5), 192_000), max_seconds=10)


def test_limits_are_the_probes(wav: Callable[..., bytes]) -> None:
    with pytest.raises(UnreadableMedia, match="longer"):
        decode_audio(wav(torch.zeros(1, 16_001), 8000), max_seconds=2)
