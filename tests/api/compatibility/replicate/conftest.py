"""A server and a worker for Replicate's packages."""

import threading
from collections.abc import Iterator

import pytest

from tests.api.conftest import LiveServer


@pytest.fixture
def busy(live: LiveServer) -> Iterator[LiveServer]:
    """The server with a worker that ends every job soon."""
    worker, stop = live.worker(), threading.Event()

    def run() -> None:
        while not stop.wait(0.05):
            worker.work()

    thread = threading.Thread(target=run)
    thread.start()
    yield live
    stop.set()
    thread.join()
