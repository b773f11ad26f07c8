"""Sounds in every format that people send, made by ffmpeg and soundfile."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor

from riffusion.audio.ffmpeg import ffmpeg_path

MakeFile = Callable[..., Path]


@pytest.fixture
def wav() -> Callable[..., bytes]:
    """Bytes of a WAV file holding a wave [C, T]."""

    def make(wave: Tensor, sample_rate: int = 44_100, subtype: str = "PCM_16") -> bytes:
        file = io.BytesIO()
        soundfile.write(file, wave.T.numpy(), sample_rate, format="WAV", subtype=subtype)
        return file.getvalue()

    return make


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """A file of two seconds of a tone, by ffmpeg: `make_file("clip.m4a", "-ar", "48000")`."""

    def make(name: str, *options: str) -> Path:
        path = tmp_path / name
        source = ["-f", "lavfi", "-i", "sine=440:duration=2"]
        subprocess.run([ffmpeg_path(), "-v", "error", "-y", *source, *options, path], check=True)
        return path

    return make


@pytest.fixture
def music() -> Tensor:
    """[2, T] at 44.1 kHz, an odd length: struck chords, not the same on both sides, with noise on top."""
    seconds = torch.arange(60_001) / 44_100
    struck = torch.exp(-8 * (seconds % 0.4))
    noise = 0.02 * torch.randn(2, len(seconds), generator=torch.Generator().manual_seed(0))
    sides = [sum(torch.sin(2 * torch.pi * hertz * seconds) for hertz in chord) for chord in ((220, 277), (330, 1760))]
    return 0.3 * struck * torch.stack([torch.as_tensor(side) for side in sides]) + noise
