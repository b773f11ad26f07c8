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

from api import temporary_folder
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
worker_class = "api.gunicorn_worker.Worker"
workers = _settings.api_workers
worker_connections = _settings.api_connections
backlog = 2048
keepalive = (
    75  # longer than clients pause between polls, and than a proxy keeps its idle connections; a head's time, too
)
limit_request_line = 4094  # bytes; beyond it, 400
limit_request_fields = 64
limit_request_field_size = 8190  # bytes; beyond it, 400
# What proxies say of a request is for api/app.py, which knows how many there are. gunicorn itself would believe it of
# every request that comes from this machine, though strangers have written it.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
timeout = 60  # without a sign of life from a process's main thread
graceful_timeout = 30
control_socket_disable = True
logger_class = _OneStream
accesslog = None  # api/request_log.py writes it, with the request's id


def on_starting(server: Any) -> None:
    """Before any process is forked: a folder for temporary files, in which their metrics meet, too.

    The operator may have named another one for the metrics.

    Each connection is a file, and many systems allow a process 1024 until it asks for more.
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
    """In each process: starts its reaper, courier and shedding; held requests are answered as soon as it stops."""
    import gevent

    from api.held_requests import Snapshot
    from api.load_shedding import Shedding
    from api.overload_response import Refusal
    from api.services import EXTENSION, Services
    from riffusion.jobs.database import refuse_cluster
    from riffusion.jobs.reaper import Reaper
    from riffusion.jobs.webhooks.courier import LINES, Courier
    from riffusion.jobs.webhooks.resolver import TOGETHER

    # gevent resolves names in threads, ten at most: those that webhooks may hold for long come on top.
    gevent.get_hub().threadpool.maxsize += TOGETHER * len(LINES)
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
    worker.shedding = Shedding(Refusal(_settings.cors_origins.split(), here.metrics))
    worker.shedding.watch()
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
    shutil.rmtree(server.temporary, ignore_errors=True)
