from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from riffusion.audio.probe import AudioInfo, probe_audio
from riffusion.errors import UnreadableMedia


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.flac", "a.ogg", "a.m4a", "a.aiff", "a.webm"])
def test_formats_that_are_taken(make_file: Callable[..., Path], name: str) -> None:
    path = make_file(name, "-ac", "2", *(["-ar", "48000"] if name == "a.webm" else []))
    for source in (path, path.read_bytes()):
        info = probe_audio(source, max_seconds=10)
        assert info.duration_s == pytest.approx(2, abs=0.05)
        assert info.channels == 2


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192_000, 2), (48_000, 6), (44_100, 8)])
def test_rates_and_channels_that_are_taken(make_file: Callable[..., Path], rate: int, channels: int) -> None:
    path = make_file("a.wav", "-ar", str(rate), "-ac", str(channels))
    assert probe_audio(path, max_seconds=10) == AudioInfo(2.0, channels, rate)


@pytest.mark.parametrize(
    ("options", "words"),
    [(("-ar", "4000"), "4000 Hz"), (("-ar", "384000"), "384000 Hz"), (("-ac", "10"), "10 channels")],
)
def test_rates_and_channels_that_are_refused(
    make_file: Callable[..., Path], options: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UnreadableMedia, match=words):
        probe_audio(make_file("a.wav", *options), max_seconds=10)


def test_long_files_are_refused_without_decoding_all_of_them(wav: Callable[..., bytes]) -> None:
    hour = wav(torch.zeros(1, 3600 * 8000), 8000, "PCM_U8")
    with pytest.raises(UnreadableMedia, match="longer than the 600 seconds"):
        probe_audio(hour, max_seconds=600)


def test_the_limit_is_exact(wav: Callable[..., bytes]) -> None:
    assert probe_audio(wav(torch.zeros(1, 8000), 8000), max_seconds=1).duration_s == 1
    with pytest.raises(UnreadableMedia):
        probe_audio(wav(torch.zeros(1, 8001), 8000), max_seconds=1)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.flac", "a.m4a", "b.m4a"])
def test_truncated_files_are_refused(make_file: Callable[..., Path], name: str) -> None:
    options = ("-movflags", "+faststart") if name == "b.m4a" else ()
    data = make_file(name, *options).read_bytes()
    with pytest.raises(UnreadableMedia):
        probe_audio(data[: len(data) // 2], max_seconds=10)


def test_a_wav_cut_between_packets_is_refused(wav: Callable[..., bytes]) -> None:
    data = wav(torch.zeros(1, 44_100))
    with pytest.raises(UnreadableMedia, match="truncated"):
        probe_audio(data[: 44 + 4096 * 4], max_seconds=10)


def test_a_wav_written_to_a_pipe_is_taken(wav: Callable[..., bytes]) -> None:
    data = bytearray(wav(torch.zeros(1, 44_100)))
    data[4:8] = data[40:44] = b"\xff" * 4
    assert probe_audio(bytes(data), max_seconds=10).duration_s == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", b"no audio at all" * 99, b"\x00" * 4096, b"\x89PNG\r\n\x1a\n" + b"\x00" * 99],
    ids=["empty", "stub", "text", "zeros", "png"],
)
def test_what_is_no_audio(data: bytes) -> None:
    with pytest.raises(UnreadableMedia):
        probe_audio(data, max_seconds=10)


def test_no_samples(wav: Callable[..., bytes]) -> None:
    with pytest.raises(UnreadableMedia, match="no audio"):
        probe_audio(wav(torch.zeros(1, 0)), max_seconds=10)


def test_a_video_without_sound_is_refused(make_file: Callable[..., Path]) -> None:
    path = make_file("a.mp4", "-f", "lavfi", "-i", "color=size=16x16:duration=1", "-map", "1:v")
    with pytest.raises(UnreadableMedia):
        probe_audio(path, max_seconds=10)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{folder}/secret.mp3\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile secret.mp3\n",
    ],
    ids=["hls", "concat"],
)
def test_a_file_can_not_name_another(
    make_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playlist: str
) -> None:
    make_file("secret.mp3")
    monkeypatch.chdir(tmp_path)
    trap = tmp_path / "trap.m3u8"
    trap.write_text(playlist.format(folder=tmp_path))
    with pytest.raises(UnreadableMedia):
        probe_audio(trap, max_seconds=10)


def test_other_formats_are_not_parsed(make_file: Callable[..., Path]) -> None:
    with pytest.raises(UnreadableMedia):
        probe_audio(make_file("a.au"), max_seconds=10)


def test_odd_lengths_are_exact(music: Tensor, wav: Callable[..., bytes]) -> None:
    assert probe_audio(wav(music), max_seconds=10) == AudioInfo(60_001 / 44_100, 2, 44_100)
