"""Sounds that lie, or that lead to other files, are refused at a bounded cost, and nothing else is opened."""

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
from tests.hostile.conftest import Watch

OWN_MIB = 96  # what looking may cost the process that asks


@pytest.fixture
def canary() -> Iterator[tuple[str, list[object]]]:
    """An address that nobody should call, and those who did."""
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
    """A sound that lies where the server could read it."""
    path = tmp_path / "secret.mp3"
    path.write_bytes(sounds.tone("mp3"))
    return path


def test_no_file_leads_to_another(watch: Watch, canary: tuple[str, list[object]], secret: Path) -> None:
    url, callers = canary
    looks = watch("sound", sounds.playlists(url, str(secret)))
    assert {name: look.code for name, look in looks.items() if look.code != "unreadable_media"} == {}
    assert callers == []


def test_headers_that_lie_are_refused_at_a_bounded_cost(watch: Watch) -> None:
    looks = watch("sound", sounds.broken_ones())
    assert {name: look.code for name, look in looks.items() if look.code != "unreadable_media"} == {}
    assert max(look.cpu_s for look in looks.values()) <= ffmpeg.CPU_SECONDS
    assert max(look.child_kib for look in looks.values()) <= ffmpeg.MEMORY_BYTES >> 10
    assert max(look.own_kib for look in looks.values()) <= OWN_MIB << 10


def test_strange_sounds_that_are_sound_are_taken(watch: Watch) -> None:
    looks = watch("sound", sounds.sound_ones())
    assert {name: look.code for name, look in looks.items() if look.code != "taken"} == {}
    assert max(look.own_kib for look in looks.values()) <= OWN_MIB << 10  # a list of a million frames is not read


@pytest.mark.parametrize("name", ["wav of 64 channels", "wav of two gigabytes", "mp3 of nothing", "wav of 1 bit"])
def test_over_http_a_lie_is_a_problem_and_leaves_nothing(refuses: Callable[[bytes, str], None], name: str) -> None:
    refuses(sounds.broken_ones()[name], "x.wav")


def test_a_film_is_not_looked_at_by_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_even_read_as_a_playlist_it_leads_nowhere(
    canary: tuple[str, list[object]], secret: Path, name: str, options: list[str]
) -> None:
    """ffmpeg doesn't recognise most playlists by their content alone; this is about what stands behind that."""
    url, callers = canary
    with pytest.raises(UnreadableMedia):
        ffmpeg.convert(
            sounds.playlists(url, str(secret))[name], ["-f", "wav"], input_options=options, max_output=1 << 20
        )
    assert callers == []
