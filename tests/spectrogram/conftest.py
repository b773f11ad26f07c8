"""A second of music-like sound: partials that glide and fade, struck four times."""

import pytest
import torch
from torch import Tensor

RATE = 44_100


@pytest.fixture(scope="session")
def wave() -> Tensor:
    """[1, T] at 44.1 kHz, 100 steps of 10 ms long."""
    seconds = torch.arange(100 * 441) / RATE
    envelope = torch.exp(-12 * (seconds % 0.25))
    partials = [torch.sin(2 * torch.pi * (220 * k * seconds + 15 * k * seconds**2)) / k for k in range(1, 12)]
    noise = torch.randn(len(seconds), generator=torch.Generator().manual_seed(1))
    return (0.2 * envelope * (torch.stack(partials).sum(dim=0) + 0.2 * noise))[None]
