"""Requests that the OpenAPI document describes, sent by schemathesis to a running server."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.api.conftest import LiveServer, Worker

CONFIG = Path(__file__).with_name("schemathesis.toml")


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """Ends every job meanwhile: the event stream of a waiting one would last an hour."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            worker.work()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def send_described_requests(
    server: LiveServer, folder: Path, *, examples: int, seed: int, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A run of schemathesis with all of its phases and checks; `examples` are those of an operation and phase."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run",
        f"{server.url}/openapi.json", "--max-examples", str(examples), "--request-timeout", "60",
        "--continue-on-failure", "--no-color", "--seed", str(seed),
    ]  # fmt: skip
    env = {**os.environ, "COLUMNS": "200", **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=env)
