import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import pytest
import torch

from riffusion.audio import ffmpeg
from riffusion.audio.ffmpeg import convert
from riffusion.errors import ToolMissing, UnreadableMedia

TO_PCM = ["-c:a", "pcm_s16le", "-f", "s16le"]


def test_nothing_is_left_behind(wav: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  no folder of paths
    assert len(convert(wav(torch.zeros(1, 800), 8000), TO_PCM, max_output=1 << 20).output) == 1600
    with pytest.raises(UnreadableMedia):
        convert(b"nonsense", TO_PCM, max_output=1 << 20)
    assert not list(tmp_path.iterdir())
    assert len(os.listdir("/proc/self/fd")) == open_files  # noqa: PTH208


def test_output_is_bounded(wav: Callable[..., bytes]) -> None:
    with pytest.raises(UnreadableMedia, match="allowed"):
        convert(wav(torch.zeros(1, 80_000), 8000), TO_PCM, max_output=1000)


def test_time_is_bounded(wav: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "WALL_SECONDS", 0.001)
    with pytest.raises(UnreadableMedia, match="too long"):
        convert(wav(torch.zeros(1, 80_000), 8000), TO_PCM, max_output=1 << 20)


def test_memory_is_bounded(wav: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "MEMORY_BYTES", 1 << 24)
    with pytest.raises(UnreadableMedia):
        convert(wav(torch.zeros(1, 80_000), 8000), TO_PCM, max_output=1 << 20)


def test_a_missing_program_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> str:
        raise RuntimeError("no ffmpeg exe")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", nothing)
    with pytest.raises(ToolMissing, match="imageio-ffmpeg"):
        ffmpeg.ffmpeg_path.__wrapped__()
