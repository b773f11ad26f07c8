"""Sounds with false headers or references to other files are refused at a bounded cost, and open nothing else."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from riffusion.audio import ffmpeg
from riffusion.audio.probe import probe_audio
from riffusion.errors import UnreadableMedia
from tests.hostile import sounds
from tests.hostile.conftest import ProbeFiles

OWN_MIB = 96  # of memory that probing may cost the process that asks


@pytest.fixture
def canary() -> Iterator[tuple[str, list[object]]]:
    """An address that must not be called, and the calls that it received."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    connection, caller = listener.accept()
                    callers.append(caller)
                    connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/secret.mp3", callers
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A sound that the server could read."""
    path = tmp_path / "secret.mp3"
    path.write_bytes(sounds.tone("mp3"))
    return path


def test_no_file_opens_another(probe_files: ProbeFiles, canary: tuple[str, list[object]], secret: Path) -> None:
    url, callers = canary
    probes = probe_files("sound", sounds.playlists(url, str(secret)))
    assert {name: probe.code for name, probe in probes.items() if probe.code != "unreadable_media"} == {}
    assert callers == []


def test_false_headers_are_refused_at_a_bounded_cost(probe_files: ProbeFiles) -> None:
    probes = probe_files("sound", sounds.malformed_ones())
    assert {name: probe.code for name, probe in probes.items() if probe.code != "unreadable_media"} == {}
    assert max(probe.cpu_s for probe in probes.values()) <= ffmpeg.CPU_SECONDS
    assert max(probe.child_kib for probe in probes.values()) <= ffmpeg.MEMORY_BYTES >> 10
    assert max(probe.own_kib for probe in probes.values()) <= OWN_MIB << 10


def test_unusual_valid_sounds_are_accepted(probe_files: ProbeFiles) -> None:
    probes = probe_files("sound", sounds.valid_ones())
    assert {name: probe.code for name, probe in probes.items() if probe.code != "accepted"} == {}
    assert max(probe.own_kib for probe in probes.values()) <= OWN_MIB << 10  # a list of a million frames is not read


@pytest.mark.parametrize("name", ["wav of 64 channels", "wav of two gigabytes", "mp3 of nothing", "wav of 1 bit"])
def test_over_http_a_false_header_is_refused_and_leaves_no_file(
    refuses: Callable[[bytes, str], None], name: str
) -> None:
    refuses(sounds.malformed_ones()[name], "x.wav")


def test_the_video_of_a_film_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    film = ["-f", "lavfi", "-i", "testsrc=size=64x64:duration=1", "-map", "0", "-map", "1", "-c:v", "mpeg4"]
    data = sounds.tone("matroska", *film, "-c:a", "flac")
    assert probe_audio(data, max_seconds=10).channels == 1
    monkeypatch.setattr(ffmpeg, "CODECS", ffmpeg.CODECS.replace(",flac", ""))
    with pytest.raises(UnreadableMedia):
        probe_audio(data, max_seconds=10)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hls file", ["-f", "hls", "-allowed_extensions", "ALL", "-extension_picky", "0"]),
        ("hls url", ["-f", "hls", "-allowed_extensions", "ALL", "-extension_picky", "0"]),
        ("concat", ["-f", "concat", "-safe", "0"]),
    ],
)
def test_even_as_a_playlist_it_opens_nothing(
    canary: tuple[str, list[object]], secret: Path, name: str, options: list[str]
) -> None:
    """ffmpeg doesn't detect most playlists by content alone; this tests the protection behind that."""
    url, callers = canary
    with pytest.raises(UnreadableMedia):
        ffmpeg.convert(
            sounds.playlists(url, str(secret))[name], ["-f", "wav"], input_options=options, max_output=1 << 20
        )
    assert callers == []
