"""`riffusion up` as people use it: started, stopped, hurt, killed, started again. The model costs nothing."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from riffusion.cli import cli
from riffusion.client import Client
from riffusion.embedded.child import stop
from riffusion.embedded.supervisor import REDIS_URL, Supervisor
from riffusion.embedded.valkey import Valkey
from riffusion.errors import SetupError, WorkerLost
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.store import JobStore
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.conftest import wait_until
from tests.faults.test_storage import in_small_folder
from tests.jobs.conftest import by

ROOT = Path(__file__).parents[2]


@dataclass
class Up:
    """A running `riffusion up`."""

    process: subprocess.Popen[str]
    data: Path
    url: str = ""

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        word, _, self.url = self.process.stdout.readline().strip().partition(" ")
        assert word == "READY", self.log()

    def log(self) -> str:
        """What this and earlier ones in the same folder said."""
        return (self.data.parent / "up.log").read_text()

    def client(self) -> Client:
        return Client(self.url, retry_for_s=60)

    def children(self) -> dict[str, int]:
        """Redis, API and worker, by a word of their command lines."""
        found: dict[str, int] = {}
        for pid in family(self.process.pid)[1:]:
            command = read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")
            for word in ("valkey-server", "gunicorn", "tests.worker.cheap"):
                if word in command:
                    found.setdefault(word, pid)
        return found


def read(path: Path) -> str:
    """A file of /proc; nothing where its process has just ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def family(pid: int) -> list[int]:
    """A process and all its descendants, the eldest first."""
    children = []
    with suppress(FileNotFoundError):  # it has just ended
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            children += [int(child) for child in read(task).split()]
    return [pid, *(kin for child in children for kin in family(child))]


def alive(pid: int) -> bool:
    return read(Path(f"/proc/{pid}/stat")).rpartition(")")[2][1:2] not in ("", "Z")


Start = Callable[..., Up]


def launch(data: Path, *worker: str, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RIFFUSION_API_WORKERS": "1", "RIFFUSION_LEASE_S": "4"}
    command = [*prefix, sys.executable, "-m", "tests.embedded.cheap_up", "0", str(data), *worker]
    with (data.parent / "up.log").open("ab") as log:
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(*worker: str, prefix: Sequence[str] = (), wait: bool = True) -> Up:
        up = Up(launch(tmp_path / "data", *worker, prefix=prefix), tmp_path / "data")
        started.append(up.process)
        if wait:
            up.wait_ready()
        return up

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
    for folder, _, names in os.walk(first.data):
        for path in [Path(folder), *(Path(folder) / name for name in names)]:
            assert path.stat().st_mode & 0o077 == 0, path

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


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_gives_jobs_back_and_the_next_start_runs_them(times: int, start: Start) -> None:
    first = start()
    with first.client() as client:
        # The second one's thread makes no check for as long, as in a long step or where it hangs.
        jobs = [client.submit(TextToAudio(prompt=prompt)) for prompt in ("8", "8 step")]
        wait_until(lambda: all(job.refresh() and job.status == "running" for job in jobs))
    pressed = time.monotonic()
    first.process.send_signal(signal.SIGINT)
    wait_until(lambda: "waiting for running jobs" in first.log())
    if times == 2:
        first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert times == 1 or time.monotonic() - pressed < 8, "it waited for the jobs"
    second = start()
    with second.client() as client:
        again = [client.job(job.id) for job in jobs]
        assert [(job.wait(timeout_s=60).status, job.data.attempts) for job in again] == [("succeeded", 1)] * 2
    assert first.log().count("outcome=succeeded") == 2


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = f"Can't listen on 127.0.0.1:{port} (Address already in use); choose another --port."
        with pytest.raises(SetupError, match=re.escape(words)):
            Supervisor(Settings(data_dir=tmp_path), port=port).run(pytest.fail)


def test_a_worker_that_crashes_while_the_stack_starts_is_started_again(tmp_path: Path) -> None:
    crashes = f'''echo >> "{tmp_path}/starts"
        case $(wc -l < "{tmp_path}/starts") in
            1) kill -9 $$ ;;
            2) exit {os.EX_TEMPFAIL} ;;
            *) exec "{sys.executable}" -m tests.worker.cheap ;;
        esac'''
    supervisor = Supervisor(Settings(data_dir=tmp_path / "data"), port=0, worker=("sh", "-c", crashes))
    supervisor.run(lambda _url: supervisor.stop())
    assert len((tmp_path / "starts").read_text()) == 3


def test_a_job_that_kills_its_worker_waits_at_the_start(start: Start, tmp_path: Path) -> None:
    valkey = Valkey(tmp_path / "data" / "redis")
    redis = valkey.start()
    wait_until(valkey.serves)
    store = JobStore.connect(Settings(redis_url=valkey.url))
    requests = [TextToAudio(prompt=prompt) for prompt in ("die", "0")]
    poison, other = (store.accept([Submission(request, by("somebody"))]).records[0].id for request in requests)
    stop(redis, grace_s=30)
    with start().client() as client:
        assert client.job(other).wait(timeout_s=60).status == "succeeded"
        with pytest.raises(WorkerLost):
            client.job(poison).wait(timeout_s=60)


def test_what_dies_while_the_stack_waits_for_its_worker_comes_back(start: Start) -> None:
    slow = f'until [ -e "$RIFFUSION_DATA_DIR/go" ]; do sleep 0.1; done; exec "{sys.executable}" -m tests.worker.cheap'
    up = start("sh", "-c", slow, wait=False)
    for word in ("valkey-server", "gunicorn"):
        wait_until(lambda: word in up.children(), 60, f"{word} never started")  # noqa: B023
        pid = up.children()[word]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: up.children().get(word, pid) != pid, 60, f"{word} never came back")  # noqa: B023
    (up.data / "go").touch()
    up.wait_ready()
    with up.client() as client:
        assert client.submit(TextToAudio(prompt="0")).wait(timeout_s=60).status == "succeeded"


def test_a_deleted_folder_ends_the_stack_with_its_reason(start: Start) -> None:
    up = start()
    shutil.rmtree(up.data)
    assert up.process.wait(60) == 1
    assert f"riffusion: {up.data} was deleted" in up.log()


def test_a_full_disk_loses_no_accepted_job(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "redis"
    up = start(prefix=in_small_folder(folder, "512k"))
    filler = Path(f"/proc/{up.process.pid}/root{folder}/filler")
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - (64 << 10))  # room for a few jobs
    accepted: list[str] = []

    def post() -> bool:
        """Whether a job was accepted."""
        with suppress(httpx.TransportError):
            response = httpx.post(f"{up.url}/jobs", json={"mode": "text-to-audio", "prompt": "0"}, timeout=30)
            if response.status_code == HTTPStatus.ACCEPTED:
                accepted.append(response.json()["id"])
                return True
        return False

    wait_until(lambda: not post() and "ended with status 1" in up.log(), 60, "the disk never was full")
    before = len(accepted)
    assert not post()
    filler.unlink()
    wait_until(post, 60, "no job was accepted any more")
    assert before > 0
    with up.client() as client:
        assert [client.job(job_id).wait(timeout_s=60).status for job_id in accepted] == ["succeeded"] * len(accepted)
    assert up.process.poll() is None


def test_a_part_that_does_not_start_stops_all(tmp_path: Path) -> None:
    before = family(os.getpid())
    broken = (sys.executable, "-c", "raise SystemExit(7)")
    with pytest.raises(SetupError, match="worker ended with status 7"):
        Supervisor(Settings(data_dir=tmp_path), port=0, worker=broken).run(pytest.fail)
    assert family(os.getpid()) == before
