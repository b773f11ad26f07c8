"""The whole service as it is deployed: gunicorn, a Celery worker, Valkey and a real S3 server, each its own process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from riffusion.client import Client
from riffusion.embedded.child import Process, spawn, stop
from riffusion.settings import Settings
from tests.conftest import S3Server, ValkeyServer, free_port, wait_until

STARTS_S = 180  # loading torch on a busy machine
http = httpx.Client(timeout=60)  # for requests of a browser, without the client library


@dataclass
class Stack:
    """The running processes, and a client of them."""

    folder: Path
    env: dict[str, str]
    url: str
    api: Process
    s3: S3Server
    workers: list[Process] = field(default_factory=list)

    @property
    def client(self) -> Client:
        return Client(self.url)

    def start_worker(self, within_s: float = STARTS_S) -> Process:
        """Starts one more worker and returns it when the API lists its model."""
        worker = run(self.folder / f"worker{len(self.workers)}.log", self.env, "worker")
        self.workers.append(worker)
        wait_until(lambda: worker.poll() is not None or self.models(), within_s, "the worker never showed up")
        assert worker.poll() is None, (self.folder / f"worker{len(self.workers) - 1}.log").read_text()
        return worker

    def objects(self) -> set[str]:
        """The files in the bucket."""
        bucket = self.s3.folder / self.s3.bucket
        return {str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file()}

    def models(self) -> bool:
        return bool(http.get(f"{self.url}/models").json()["models"])


def run(log: Path, env: dict[str, str], *command: str) -> Process:
    """Starts a `riffusion` command as a process of its own."""
    with log.open("ab") as output:
        return spawn([sys.executable, "-m", "riffusion", *command], env=env, output=output)


def ready(client: httpx.Client, url: str) -> bool:
    """Whether the service at an address accepts jobs."""
    try:
        return client.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@contextmanager
def start(folder: Path, valkey: ValkeyServer, s3: S3Server, **settings: object) -> Iterator[Stack]:
    """Runs the API on a free port, without a worker yet; stops it and all workers in the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    values: dict[str, object] = {
        "redis_url": valkey.url,
        "data_dir": folder / "data",
        "public_url": url,
        "storage": "s3",
        "s3_endpoint": s3.endpoint,
        "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key,
        "s3_secret_key": s3.secret_key,
        **settings,
    }
    assert values.keys() <= Settings.model_fields.keys()
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    env |= {f"RIFFUSION_{name.upper()}": str(value) for name, value in values.items()}
    api = run(folder / "api.log", env, "api", "--port", str(port))

    stack = Stack(folder, env, url, api, s3)
    try:
        wait_until(lambda: api.poll() is not None or ready(http, url), STARTS_S, "the API never got ready")
        assert api.poll() is None, (folder / "api.log").read_text()
        yield stack
    finally:
        for process in [*stack.workers, api]:
            stop(process, grace_s=30)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, rclone_server: S3Server) -> Iterator[Stack]:
    """One API and one worker for all tests of a module."""
    folder = tmp_path_factory.mktemp("stack")
    valkey = ValkeyServer.start(folder)
    with start(folder, valkey, rclone_server.with_bucket()) as running:
        running.start_worker()
        yield running
    valkey.kill()


@pytest.fixture
def empty_stack(tmp_path: Path, valkey: ValkeyServer, s3_server: S3Server) -> Iterator[Stack]:
    """An API for one test, without a worker."""
    with start(tmp_path, valkey, s3_server) as running:
        yield running
