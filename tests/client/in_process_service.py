"""The real API and a real runner, with a model that costs nothing, in threads of this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server

from api.app import create_app
from api.services import EXTENSION
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from riffusion.storage import open_storage
from tests.conftest import free_port
from tests.worker.cheap import CheapGenerator
from worker.heartbeat import Heartbeat
from worker.runner import Generates, Runner


@contextmanager
def serving(settings: Settings, generator: Generates | None = None) -> Iterator[str]:
    """The URL of a running service."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = settings.model_copy(update={"public_url": url})
    app = create_app(settings)
    server = make_server("127.0.0.1", port, app, threaded=True)
    store = JobStore.connect(settings)
    heartbeat = Heartbeat(store, settings, "runner")
    runner = Runner(store, open_storage(settings), generator or CheapGenerator(), heartbeat, settings)

    batches = BatchStore(store)

    def work() -> None:
        while not runner.stopping:
            batches.feed()
            runner.work()
            time.sleep(0.02)

    threads = [threading.Thread(target=target, daemon=True) for target in (server.serve_forever, work)]
    heartbeat.start()
    for thread in threads:
        thread.start()
    yield url
    runner.stop()
    server.shutdown()
    for thread in threads:
        thread.join()
    heartbeat.stop()
    app.extensions[EXTENSION].hub.close()  # or its subscriber would stay on the Valkey that all tests share
