"""A worker process: one model, loaded once, behind a Celery app of threads.

Celery provides the message that there is work, back-pressure and warm shutdown. The store decides which job runs, and
how often; none of Celery's retries, time limits or results are used.
"""

import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from celery import Celery, bootsteps, signals

from riffusion import logs, tracing
from riffusion.jobs.broker import create_celery
from riffusion.jobs.database import refuse_cluster
from riffusion.jobs.reaper import Reaper
from riffusion.jobs.store import JobStore
from riffusion.jobs.wakeup import TASK, queue_name
from riffusion.settings import Settings
from riffusion.storage import open_storage
from worker import metrics
from worker.heartbeat import Heartbeat
from worker.polling import Polling
from worker.runner import Generates, Runner
from worker.shutdown import Shutdown

log = logging.getLogger(__name__)


def create_app(settings: Settings, work: Callable[[], None]) -> Celery:
    """The Celery app whose one task calls `work`, when a message says that there is some."""
    app = create_celery(
        settings,
        {"socket_timeout": 5, "socket_connect_timeout": 2, "health_check_interval": 5},
        task_default_queue=queue_name(settings.model),
        # A message is acknowledged when its work is done, and a thread takes the next one only then.
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
    )
    app.task(name=TASK)(work)
    return app


def serve(settings: Settings, load: Callable[[Settings], Generates]) -> int:
    """Runs a worker until SIGTERM or SIGINT; then it finishes running jobs and takes no new ones.

    Args:
        load: returns what runs the jobs, warmed up; called once, before the first claim. `Generator.load`, except in
            tests.

    Returns:
        The process' exit status.

    Raises:
        SetupError: the model can't be loaded, or Redis is in cluster mode.
    """
    logs.configure(settings)
    tracing.configure(settings, "riffusion-worker")
    store, files = JobStore.connect(settings), open_storage(settings)
    refuse_cluster(store.redis)
    with ExitStack() as running:
        running.callback(tracing.shutdown)
        generator = load(settings)
        running.callback(generator.close)
        name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        heartbeat = Heartbeat(store, settings, name, lambda: generator.card)
        runner = Runner(store, files, generator, heartbeat, settings)
        shutdown = Shutdown(runner, heartbeat, store, settings)
        reaper = Reaper(store, files)
        polling = Polling(store, runner, settings)

        def begin(**_: Any) -> None:
            # Celery's own handler of a second Ctrl-C would wait for running jobs inside the handler.
            signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))
            for service in (heartbeat, reaper, polling):
                service.start()
                running.callback(service.stop)
            loading = threading.Thread(target=generator.load_ahead, name="load-ahead", daemon=True)
            loading.start()
            running.callback(loading.join)
            log.info("ready", extra={"worker": heartbeat.name, "model": settings.model, "slots": settings.slots})

        signals.setup_logging.connect(_keep_logging, weak=False)
        signals.worker_ready.connect(begin, weak=False)
        signals.worker_shutting_down.connect(shutdown.request, weak=False)
        shutdown.start()
        metrics.serve(settings, lambda: heartbeat.alive)
        return _consume(create_app(settings, runner.work), settings, shutdown)


def _consume(app: Celery, settings: Settings, shutdown: Shutdown) -> int:
    class Closing(bootsteps.Step):  # type: ignore[misc]  # Celery ships no types
        """Makes threads finish their job and claim no more, also when Celery ends by an error of its own."""

        def close(self, _worker: object) -> None:
            shutdown.request()

    app.steps["worker"].add(Closing)
    worker = app.Worker(
        pool_cls="threads",
        concurrency=settings.slots,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _keep_logging(**_: Any) -> None:
    """A receiver of this signal, because Celery then sets up no logging of its own."""
