"""An app on a real Valkey, a fake worker, and the same app behind a real gunicorn."""

import io
import itertools
import os
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from api.app import create_app
from api.services import EXTENSION, Services
from riffusion.jobs.record import AudioOutput, Failure, ImageOutput, JobOutput, JobRecord, Success
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant
from riffusion.settings import Settings
from riffusion.storage import Storage, open_storage
from tests.conftest import ValkeyServer, free_port, wait_until

# A failing test shows its log in plain lines, without structlog's dumps of every frame.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])

PROMPT = {"mode": "text-to-audio", "prompt": "funk bassline"}
PROBLEM = "application/problem+json"


def png(width: int = 64, height: int = 512) -> bytes:
    """A grey picture."""
    file = io.BytesIO()
    Image.new("L", (width, height), 128).save(file, "PNG")
    return file.getvalue()


def wav(seconds: float = 0.5) -> bytes:
    """A square wave."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes((b"\x00\x10" * 20 + b"\x00\xf0" * 20) * int(seconds * 200))
    return file.getvalue()


class Client(FlaskClient):
    """A client of the app without a server in between; its responses are as loosely typed as JSON."""

    def open(self, *args: Any, **options: Any) -> Any:
        # Buffered: read to the end and closed, as by a server.
        return super().open(*args, **{"buffered": True} | options)

    def get(self, *args: Any, **options: Any) -> Any:
        return self.open(*args, method="GET", **options)

    def post(self, *args: Any, **options: Any) -> Any:
        return self.open(*args, method="POST", **options)

    def put(self, *args: Any, **options: Any) -> Any:
        return self.open(*args, method="PUT", **options)

    def delete(self, *args: Any, **options: Any) -> Any:
        return self.open(*args, method="DELETE", **options)

    def options(self, *args: Any, **options: Any) -> Any:
        return self.open(*args, method="OPTIONS", **options)


class Worker:
    """Claims and ends jobs as a worker does, without making music."""

    MODEL = "tiny"

    def __init__(self, store: JobStore, files: Storage) -> None:
        self._store = store
        self._files = files
        self._store.models.register("w", self.MODEL, 4)

    def claim(self) -> JobRecord:
        """Claims the next job."""
        record = self._store.claim(self.MODEL, "w", os.urandom(8).hex())
        assert record is not None
        return record

    def work(self) -> None:
        """Ends every waiting job."""
        while record := self._store.claim(self.MODEL, "w", os.urandom(8).hex()):
            self.succeed(record)

    def progress(self, record: JobRecord, step: int, total: int = 20, preview: bytes = b"") -> None:
        assert self._store.progress(record.id, record.token, step, total, preview)

    def succeed(self, record: JobRecord) -> None:
        """Ends the job with a picture and a sound."""
        folder, picture, sound = record.folder, png(512), wav(5.11)
        self._files.put(f"{folder}clip.png", picture, "image/png")
        self._files.put(f"{folder}clip.wav", sound, "audio/wav")
        output = JobOutput(
            ImageOutput(f"{folder}clip.png", 512, 512, len(picture)),
            AudioOutput(f"{folder}clip.wav", 5.11, 8000, 1, "wav", len(sound)),
        )
        assert self._store.finish(record.id, record.token, Success(output, ("it was loud",)))

    def fail(self, record: JobRecord) -> None:
        assert self._store.finish(record.id, record.token, Failure("out_of_memory", "The job is too large."))


@pytest.fixture
def settings(valkey: ValkeyServer, tmp_path: Path) -> Settings:
    return Settings(
        redis_url=valkey.url, data_dir=tmp_path / "data", model=Worker.MODEL, public_url="http://localhost",
        anonymous_creates_per_minute=0, anonymous_jobs_in_flight=0,
    )  # fmt: skip


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The API."""
    made = create_app(settings)
    yield made
    made.extensions[EXTENSION].hub.close()


@pytest.fixture
def services(app: Flask) -> Services:
    """The services of the API."""
    found: Services = app.extensions[EXTENSION]
    return found


@pytest.fixture
def client(app: Flask) -> Client:
    """A client of the API, at 127.0.0.1, with a secret of its own."""
    made = Client(app)
    made.environ_base["HTTP_RIFFUSION_SECRET"] = "a" * 22
    return made


@pytest.fixture
def stranger(app: Flask) -> Client:
    """Another client, at another address."""
    made = Client(app)
    made.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    made.environ_base["HTTP_RIFFUSION_SECRET"] = "b" * 22
    return made


@pytest.fixture
def worker(services: Services) -> Worker:
    """A fake worker on the same store."""
    return Worker(services.store, services.files)


def submit(client: Client, **fields: Any) -> dict[str, Any]:
    """An accepted job of a valid request."""
    response = client.post("/jobs", json={**PROMPT, **fields})
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json
    return job


def hold_all(services: Services, *clients: Tenant) -> None:
    """Takes all places of held requests that these clients get."""
    for client in clients:
        while services.held.try_enter(client):
            pass


# As many as take all places.
CROWD = tuple(Tenant(f"address:198.51.100.{number}") for number in range(8))


@pytest.fixture
def link(client: Client, worker: Worker) -> str:
    """A signed link to a sound."""
    job = submit(client)
    worker.succeed(worker.claim())
    url: str = client.get(f"/jobs/{job['id']}").json["result"]["audio"]["url"]
    return url.removeprefix("http://localhost")


@dataclass(frozen=True)
class LiveServer:
    """A real gunicorn of two processes."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    settings: Settings

    WORKERS = 2
    CONNECTIONS = 32  # of each

    def worker(self) -> Worker:
        """A fake worker on the server's store."""
        return Worker(JobStore.connect(self.settings), open_storage(self.settings))

    def submit(self) -> str:
        """The address of a new job, sent again as clients do where a busy server says that it can't respond now."""
        for _ in range(5):
            response = httpx.post(f"{self.url}/jobs", json=PROMPT, timeout=30)
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        return str(response.raise_for_status().json()["links"]["self"])


_databases = itertools.cycle(range(1, 16))


@contextmanager
def serve(
    valkey: ValkeyServer,
    folder: Path,
    connections: int = LiveServer.CONNECTIONS,
    redis_url: str = "",
    *,
    conf: str = "api.gunicorn_conf",
    status: int = 0,
    **changes: Any,
) -> Iterator[LiveServer]:
    """Starts gunicorn on a free port and stops it as an operator would; it must exit with this status.

    On a database of its own by default, so that its reaper and dispatcher don't process another server's jobs.
    """
    url = f"http://127.0.0.1:{free_port()}"
    settings = Settings(
        redis_url=redis_url or valkey.url.removesuffix("0") + str(next(_databases)),
        data_dir=folder / "data", model=Worker.MODEL, public_url=url,
        api_workers=LiveServer.WORKERS, api_connections=connections,
        anonymous_creates_per_minute=0, anonymous_jobs_in_flight=0, **changes,
    )  # fmt: skip
    environment = {f"RIFFUSION_{name.upper()}": str(getattr(settings, name)) for name in settings.model_fields_set}
    log = folder / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", f"python:{conf}", "--bind", url.removeprefix("http://")],
            env={**os.environ, **environment, "TMPDIR": str(folder)}, stdout=output, stderr=output,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
    try:
        wait_until(lambda: _responds(url), 120, "gunicorn doesn't respond")
        yield LiveServer(url, process, log, settings)
    finally:
        process.terminate()
        process.wait(90)
    assert process.returncode == status, log.read_text()


@pytest.fixture(scope="session")
def _live(valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serve(valkey_server, tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def live(_live: LiveServer, valkey: ValkeyServer) -> LiveServer:
    """The session's server, on an empty Valkey."""
    return _live


def _responds(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False
