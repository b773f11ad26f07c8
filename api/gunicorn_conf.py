"""How gunicorn serves the API: `gunicorn -c python:api.gunicorn_conf`.

Greenlets, because held requests and slow clients only wait (docs/decisions/0070); few processes, because each keeps a
Redis subscriber and a reaper.
"""

import os
import resource
import shutil
import signal
import sys
import tempfile
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from riffusion import logs
from riffusion.errors import SetupError
from riffusion.settings import get_settings

_MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client looks at it when it is first imported
_settings = get_settings()


class _OneStream(Logger):  # type: ignore[misc]
    """gunicorn's own messages in the format of everything else."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure(_settings)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


wsgi_app = "api.app:create_app()"
worker_class = "api.server.Worker"
workers = _settings.api_workers
worker_connections = _settings.api_connections
backlog = 2048
keepalive = (
    75  # longer than clients pause between polls, and than a proxy keeps its idle connections; a head's time, too
)
limit_request_line = 4094  # bytes; beyond it, 400
limit_request_fields = 64
limit_request_field_size = 8190  # bytes; beyond it, 400
timeout = 60  # without a sign of life from a process's main thread
graceful_timeout = 30
control_socket_disable = True
logger_class = _OneStream
accesslog = None  # api/request_log.py writes it, with the request's id


def on_starting(server: Any) -> None:
    """Before any process is forked: a folder in which their metrics meet, unless the operator has named one.

    Each connection is a file, and many systems allow a process 1024 until it asks for more.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server.metrics_dir = None
    if _MULTIPROCESS_DIR not in os.environ:
        server.metrics_dir = os.environ[_MULTIPROCESS_DIR] = tempfile.mkdtemp(prefix="riffusion-metrics-")


def post_worker_init(worker: Any) -> None:
    """In each process: starts its reaper and courier, and makes held requests answer as soon as the process stops."""
    from api.services import EXTENSION, Services
    from api.waiting import Snapshot
    from riffusion.jobs.database import refuse_cluster
    from riffusion.jobs.reaper import Reaper
    from riffusion.jobs.webhooks.courier import Courier

    here: Services = worker.wsgi.extensions[EXTENSION]
    try:
        refuse_cluster(here.store.redis)
    except SetupError as error:
        worker.log.critical(str(error))
        sys.exit(Arbiter.WORKER_BOOT_ERROR)  # ends the whole server
    courier = Courier(here.store, lambda record: here.presenter.job(Snapshot(record, None)).model_dump_json())
    worker.background = (Reaper(here.store, here.files), courier)
    for service in worker.background:
        service.start()
    stop = signal.getsignal(signal.SIGTERM)

    def answer_and_stop(number: int, frame: FrameType | None) -> None:
        # Nothing here may take a lock: the signal may have come while this very thread holds it.
        here.held.closing = True
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, answer_and_stop)
    signal.siginterrupt(signal.SIGTERM, False)


def worker_exit(_server: Any, worker: Any) -> None:
    """Ends what post_worker_init started."""
    for service in getattr(worker, "background", ()):
        service.stop()


def child_exit(_server: Any, worker: Any) -> None:
    """Takes a gone process's gauges out of the sums."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Leaves nothing behind."""
    if server.metrics_dir is not None:
        shutil.rmtree(server.metrics_dir, ignore_errors=True)
