"""The processes that bench/load.py measures: Redis, three servers, and a worker whose model costs nothing."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
from job_queue import GRACE_S, until
from load_client import Request, drive

from riffusion.embedded.child import Process, spawn, stop
from riffusion.embedded.valkey import Valkey
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings

HERE = Path(__file__).parent
GOOD = {"submit": 202, "poll": 200, "unchanged": 304}


@dataclass(frozen=True)
class Stack:
    """The running processes."""

    ports: dict[str, int]
    processes: dict[str, Process]
    store: JobStore
    env: dict[str, str]
    log: int

    def memory_mib(self) -> int:
        """Memory of the API's processes."""
        return sum(each.memory_info().rss for each in self._processes("ours")) >> 20

    def rate(self, name: str, kind: str, request: Request, connections: int, seconds: float) -> "Measured":
        """Measures one kind of request on all connections."""
        before: list[float] = []
        sample = drive(
            self.ports[name], {kind: (connections, request)}, seconds, lambda: before.append(self._cpu_s(name))
        )[kind]
        if errors := sample.errors(GOOD[kind]):
            print(f"  {errors} errors: {name} {kind}, {dict(sample.statuses)}, {dict(sample.broken)}")
        responses = max(len(sample.latencies_ms), 1)
        return Measured(responses / sample.seconds, 1000 * (self._cpu_s(name) - before[0]) / responses, errors)

    def _processes(self, name: str) -> list[psutil.Process]:
        server = psutil.Process(self.processes[name].pid)
        return [server, *server.children(recursive=True)]

    def _cpu_s(self, name: str) -> float:
        """Processor time of a server so far, without Redis'."""
        return sum(times.user + times.system for times in (each.cpu_times() for each in self._processes(name)))


@dataclass(frozen=True)
class Measured:
    """One kind of request, measured for some seconds."""

    rate: float
    """Responses a second."""
    cpu_ms: float
    """Processor time of the server's processes for each response."""
    errors: int


@contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """Redis, our API with and without load shedding, and the baseline."""
    with ExitStack() as running:
        log = running.enter_context((folder / "log").open("ab"))
        valkey = Valkey(folder / "redis")
        running.callback(stop, valkey.start(output=log), GRACE_S)
        until(valkey.serves)
        listeners = {
            name: running.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
            for name in ("ours", "unshed", "baseline")
        }
        ports = {name: int(listener.getsockname()[1]) for name, listener in listeners.items()}
        env = os.environ | {
            "PYTHONPATH": f"{HERE}:{HERE.parent}",
            "RIFFUSION_REDIS_URL": valkey.url,
            "RIFFUSION_DATA_DIR": str(folder),
            "RIFFUSION_PUBLIC_URL": f"http://127.0.0.1:{ports['ours']}",
            "RIFFUSION_MAX_QUEUED": "10000000",
            "RIFFUSION_ANONYMOUS_CREATES_PER_MINUTE": "0",
            "RIFFUSION_ANONYMOUS_JOBS_IN_FLIGHT": "0",
            "RIFFUSION_ANONYMOUS_JOBS_KEPT": "0",
            "RIFFUSION_ANONYMOUS_REQUEST_BYTES": "0",
        }
        settings = Settings(redis_url=valkey.url, data_dir=folder, max_queued=10_000_000)
        served_by = [
            "-m",
            "gunicorn",
            "--no-control-socket",
            "--worker-class",
            "api.gunicorn_worker.Worker",
            "--keep-alive",
            "75",
        ]
        served_by += ["--workers", f"{settings.api_workers}", "--worker-connections", f"{settings.api_connections}"]
        commands = {
            "ours": ["-m", "riffusion", "api", "--fd", f"{listeners['ours'].fileno()}"],
            "unshed": [
                "-m",
                "gunicorn",
                "-c",
                "python:without_shedding",
                "--bind",
                f"fd://{listeners['unshed'].fileno()}",
            ],
            "baseline": [*served_by, "--bind", f"fd://{listeners['baseline'].fileno()}", "load_baseline:app"],
        }
        processes = {}
        for name, command in commands.items():
            argv = [sys.executable, *command]
            processes[name] = spawn(argv, env=env, output=log, pass_fds=[listeners[name].fileno()])
            running.callback(stop, processes[name], GRACE_S)
        for name, path in (("ours", "readyz"), ("unshed", "readyz"), ("baseline", "jobs/x")):
            until(partial(_succeeds, f"http://127.0.0.1:{ports[name]}/{path}"))
        yield Stack(ports, processes, JobStore.connect(settings), env, log.fileno())


def _succeeds(url: str) -> bool:
    return httpx.get(url, timeout=60).is_success


@contextmanager
def worker(running: Stack) -> Iterator[None]:
    """A worker whose model costs nothing."""
    process = spawn([sys.executable, str(HERE / "load.py"), "--worker"], env=running.env, output=running.log)
    try:
        until(
            lambda: len(httpx.get(f"http://127.0.0.1:{running.ports['ours']}/models", timeout=60).json()["models"]) > 0
        )
        yield
    finally:
        stop(process, GRACE_S)
