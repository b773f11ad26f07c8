"""`riffusion up` as people use it: started, stopped, hurt, killed, started again. The model costs nothing."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from riffusion.cli import cli
from riffusion.client import Client
from riffusion.embedded.supervisor import REDIS_URL, Supervisor
from riffusion.errors import SetupError
from riffusion.requests import TextToAudio
from riffusion.settings import Settings
from tests.conftest import wait_until

ROOT = Path(__file__).parents[2]


@dataclass
class Up:
    """A running `riffusion up`."""

    process: subprocess.Popen[str]
    url: str
    data: Path

    def client(self) -> Client:
        return Client(self.url, patience_s=60)

    def children(self) -> dict[str, int]:
        """Redis, API and worker, by the word that tells them apart."""
        found: dict[str, int] = {}
        for pid in family(self.process.pid)[1:]:
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            for word in ("valkey-server", "gunicorn", "tests.worker.cheap"):
                if word in command:
                    found.setdefault(word, pid)
        return found


def family(pid: int) -> list[int]:
    """A process and all its descendants, the eldest first."""
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in task.read_text().split()]
    return [pid, *(kin for child in children for kin in family(child))]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


Start = Callable[..., Up]


def launch(data: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RIFFUSION_API_WORKERS": "1", "RIFFUSION_LEASE_S": "2"}
    command = [sys.executable, "-m", "tests.embedded.cheap_up", "0", str(data)]
    with (data.parent / "up.log").open("ab") as log:
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(data: Path = tmp_path / "data") -> Up:
        process = launch(data)
        started.append(process)
        assert process.stdout is not None
        word, _, url = process.stdout.readline().strip().partition(" ")
        assert word == "READY", (tmp_path / "up.log").read_text()
        return Up(process, url, data)

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate()


def test_jobs_outlive_a_restart_and_nothing_is_left_behind(start: Start) -> None:
    first = start()
    with first.client() as client:
        job = client.submit(TextToAudio(prompt="0"))
        job.wait(timeout_s=60)
    made = CliRunner().invoke(cli, ["keys", "create", "me", "--data", str(first.data)], catch_exceptions=False)
    assert "key " in made.stdout
    assert (first.data / REDIS_URL).stat().st_mode & 0o777 == 0o600
    processes = family(first.process.pid)
    assert len(first.children()) == 3
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert not [pid for pid in processes if alive(pid)]
    assert not (first.data / REDIS_URL).exists()

    second = start()
    with second.client() as client:
        again = client.job(job.id)
        assert again.status == "succeeded"
        assert again.download(second.data).audio.read_bytes() == b"sound"


def test_what_dies_comes_back(start: Start) -> None:
    up = start()
    with up.client() as client:
        for word, pid in up.children().items():
            job = client.submit(TextToAudio(prompt="1"))
            assert alive(pid), f"{word} died with another"
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: up.children().get(word, pid) != pid, 60, f"{word} never came back")  # noqa: B023
            assert job.wait(timeout_s=60).status == "succeeded", word
    assert up.process.poll() is None


def test_a_killed_supervisor_leaves_no_orphan_and_a_free_folder(start: Start) -> None:
    up = start()
    with pytest.raises(SetupError, match="is in use by another `riffusion up`"):
        Supervisor(Settings(data_dir=up.data), port=0).run(pytest.fail)
    processes = family(up.process.pid)
    up.process.kill()
    wait_until(lambda: not [pid for pid in processes[1:] if alive(pid)], 30, "orphans")
    with (up.data / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_ctrl_c_lets_a_job_finish_and_a_second_one_does_not(start: Start) -> None:
    up = start()
    with up.client() as client:
        job = client.submit(TextToAudio(prompt="600"))
        wait_until(lambda: job.refresh() and job.status == "running")
        up.process.send_signal(signal.SIGINT)
        wait_until(lambda: "Warm shutdown" in (up.data.parent / "up.log").read_text())
        assert up.process.poll() is None
        assert client.job(job.id).status == "running"
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(60) == 0


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = f"Can't listen on 127.0.0.1:{port} (Address already in use); choose another --port."
        with pytest.raises(SetupError, match=re.escape(words)):
            Supervisor(Settings(data_dir=tmp_path), port=port).run(pytest.fail)


def test_a_part_that_does_not_start_stops_all(tmp_path: Path) -> None:
    before = family(os.getpid())
    broken = (sys.executable, "-c", "raise SystemExit(7)")
    with pytest.raises(SetupError, match="worker ended with status 7"):
        Supervisor(Settings(data_dir=tmp_path), port=0, worker=broken).run(pytest.fail)
    assert family(os.getpid()) == before
