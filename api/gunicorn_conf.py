"""gunicorn's configuration for the API: `gunicorn -c python:api.gunicorn_conf`.

Greenlets, because held requests and slow clients only wait (docs/decisions/0070); few processes, because each has a
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

from api import temporary_folder
from riffusion import logs
from riffusion.errors import SetupError
from riffusion.settings import get_settings

_MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is first imported
_settings = get_settings()


class _OneStream(Logger):  # type: ignore[misc]
    """gunicorn's messages in the format of all other logs."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure(_settings)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


wsgi_app = "api.app:create_app()"
worker_class = "api.gunicorn_worker.Worker"
workers = _settings.api_workers
worker_connections = _settings.api_connections
backlog = 2048
# Seconds: longer than clients pause between polls and than proxies keep idle connections. Also limits a request's head.
keepalive = 75
limit_request_line = 4094  # bytes; beyond it, 400
limit_request_fields = 64
limit_request_field_size = 8190  # bytes; beyond it, 400
# The headers of proxies are for api/app.py, which has the number of proxies. gunicorn would believe them in every
# request that comes from this machine, though clients may have written them.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
timeout = 60  # seconds without a heartbeat of a process's main thread
graceful_timeout = 30  # seconds
control_socket_disable = True
logger_class = _OneStream
accesslog = None  # api/request_log.py writes it, with the request's id


def on_starting(server: Any) -> None:
    """Before any process is forked: raises the limit of open files, and makes the folder of temporary files.

    Each connection is an open file, and many systems allow a process 1024 until it asks for more. The folder also holds
    the metrics of all processes, unless the operator has named another for them.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server.temporary = temporary_folder.make_folder()
    os.environ["TMPDIR"] = tempfile.tempdir = str(server.temporary)
    if _MULTIPROCESS_DIR not in os.environ:
        metrics = server.temporary / "metrics"
        metrics.mkdir()
        os.environ[_MULTIPROCESS_DIR] = str(metrics)


def post_worker_init(worker: Any) -> None:
    """In each process: starts its reaper, dispatcher and load shedding, and makes a stop end held requests at once."""
    import gevent

    from api.compatibility.replicate.representation import webhook_body
    from api.load_shedding import Shedding
    from api.overload_response import OverloadResponse
    from api.services import EXTENSION, Services
    from riffusion import tracing
    from riffusion.jobs.database import refuse_cluster
    from riffusion.jobs.reaper import Reaper
    from riffusion.jobs.webhooks.dispatcher import LINES, Dispatcher
    from riffusion.jobs.webhooks.resolver import MAX_THREADS

    # gevent resolves names in up to ten threads; webhooks may keep theirs for long, so these are added.
    gevent.get_hub().threadpool.maxsize += MAX_THREADS * len(LINES)
    here: Services = worker.wsgi.extensions[EXTENSION]
    try:
        refuse_cluster(here.store.redis)
    except SetupError as error:
        worker.log.critical("server not started", extra={"reason": str(error)})
        sys.exit(Arbiter.WORKER_BOOT_ERROR)  # ends the whole server
    tracing.configure(_settings, "riffusion-api")
    dispatcher = Dispatcher(here.store, lambda record: webhook_body(record, here.presenter))
    worker.background = (Reaper(here.store, here.files, here.metrics.redis_write_seconds.observe), dispatcher)
    for service in worker.background:
        service.start()
    worker.shedding = Shedding(OverloadResponse(_settings.cors_origins.split(), here.metrics))
    worker.shedding.watch()
    stop = signal.getsignal(signal.SIGTERM)

    def end_held_requests_and_stop(number: int, frame: FrameType | None) -> None:
        # Nothing here may take a lock: this thread may hold it when the signal arrives.
        here.held.closing = True
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, end_held_requests_and_stop)
    signal.siginterrupt(signal.SIGTERM, False)


def worker_exit(_server: Any, worker: Any) -> None:
    """Stops what post_worker_init started."""
    from riffusion import tracing

    for service in getattr(worker, "background", ()):
        service.stop()
    tracing.shutdown()


def child_exit(_server: Any, worker: Any) -> None:
    """Removes the gauges of a process that ended from the sums."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Deletes the folder of temporary files."""
    shutil.rmtree(server.temporary, ignore_errors=True)
