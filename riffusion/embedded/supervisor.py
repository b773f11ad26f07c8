"""`riffusion up`: starts Redis, API and worker, restarts those that die, and leaves no process behind.

The supervisor owns two things that its children use, so that clients don't notice when a child is restarted: the API's
listening socket, in which connections wait meanwhile, and Redis's port. Redis also holds the lock on the data folder:
the folder is free only when nothing writes to it any more, even after a kill -9 of the supervisor.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from riffusion.embedded import folder, probes
from riffusion.embedded.child import kill, spawn
from riffusion.embedded.service import Service
from riffusion.embedded.valkey import Valkey
from riffusion.errors import SetupError, StoreUnavailable
from riffusion.jobs.models import ModelLoad
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings

log = logging.getLogger(__name__)

RIFFUSION = (sys.executable, "-m", "riffusion")
REDIS_URL = "redis.url"  # in the data folder: `riffusion keys` reads it, since each start has a new password
POLL_S = 0.1
STARTING_POLL_S = 0.5
REMINDER_S = 60.0
WORKER_GRACE_S = 5.0  # for jobs that are about to end; the others run again at the next start
GIVING_BACK_S = 5.0  # more than a worker needs to return its jobs to the queue, those of hung threads included


@dataclass
class Supervisor:
    """The embedded stack, from start to stop."""

    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8000
    """0 chooses a free one."""
    output: IO[bytes] | None = None
    """Where its processes write; None is standard error."""
    worker: Sequence[str] = (*RIFFUSION, "worker")
    """The worker's command."""
    _store: JobStore | None = None
    _services: list[Service] = field(default_factory=list)
    _signals: int = 0

    def run(self, ready: Callable[[str], None]) -> None:
        """Runs until SIGINT, SIGTERM or SIGHUP; running jobs then have a few seconds to end, or the operator's grace.

        Those that don't end return to the queue, at a second signal at once, and run again at the next start. A third
        signal kills all processes that still run.

        Args:
            ready: called with the API's URL once it accepts jobs and a worker waits for them.

        Raises:
            SetupError: the port or the data folder is in use, a process doesn't start, or the folder was deleted.
            ToolMissing: there is no valkey-server.
        """
        with ExitStack() as resources:
            lock = resources.enter_context(folder.hold(self.settings.data_dir))
            listener = resources.enter_context(_listen(self.host, self.port))
            resources.enter_context(self._handle_signals())
            resources.callback((self.settings.data_dir / REDIS_URL).unlink, missing_ok=True)
            everywhere = self.host in ("", "0.0.0.0")  # noqa: S104 -- compared, not bound
            url = f"http://{'127.0.0.1' if everywhere else self.host}:{listener.getsockname()[1]}"
            resources.callback(self._stop)
            self._start(url, listener.fileno(), lock.descriptor)
            if not self._signals:
                ready(url)
            while not self._signals:
                lock.check()
                self._watch()
                time.sleep(POLL_S)

    def stop(self) -> None:
        """Makes `run` return, as a signal does; from any thread."""
        self._signals += 1

    def _start(self, url: str, listener: int, lock: int) -> None:
        env = {**os.environ, "RIFFUSION_DATA_DIR": str(self.settings.data_dir.resolve())}
        env.setdefault("RIFFUSION_PUBLIC_URL", url)
        env.setdefault("RIFFUSION_LOG_FORMAT", "console")
        if "redis_url" not in self.settings.model_fields_set:
            valkey = Valkey(self.settings.data_dir / "redis")
            env["RIFFUSION_REDIS_URL"] = valkey.url
            self._store = JobStore.connect(self.settings.model_copy(update={"redis_url": valkey.url}))
            _write_private(self.settings.data_dir / REDIS_URL, valkey.url)
            self._launch(Service("redis", lambda: valkey.start(output=self.output, pass_fds=[lock]), valkey.serves))
            self._wait()
        else:
            self._store = JobStore.connect(self.settings)
        api = [*RIFFUSION, "api", "--fd", str(listener)]
        start_api = partial(spawn, api, env=env, output=self.output, pass_fds=[listener])
        self._launch(Service("api", start_api, lambda: probes.is_alive(url)))
        start_worker = partial(spawn, self.worker, env=env, output=self.output)
        self._launch(Service("worker", start_worker, self._has_worker, self._worker_grace_s, GIVING_BACK_S))
        self._wait(lambda: probes.takes_jobs(url))

    @property
    def _worker_grace_s(self) -> float:
        chosen = "shutdown_grace_s" in self.settings.model_fields_set
        return self.settings.shutdown_grace_s if chosen else WORKER_GRACE_S

    def _models(self) -> list[ModelLoad]:
        """The models with a worker alive; none while Redis is away."""
        try:
            return [] if self._store is None else list(self._store.models.alive().values())
        except StoreUnavailable:
            return []

    def _has_worker(self) -> bool:
        return bool(self._models())

    def _launch(self, service: Service) -> None:
        if not self._signals:
            self._services.append(service)
            service.launch()

    def _watch(self) -> None:
        for service in self._services:
            service.watch()

    def _wait(self, condition: Callable[[], bool] = lambda: True) -> None:
        """Until every service has served and the condition holds, through any restarts; or until a signal."""
        began = reminded = time.monotonic()
        while not self._signals:
            self._watch()
            missing = [service.name for service in self._services if not service.has_served]
            if not missing and condition():
                return
            if time.monotonic() - reminded > REMINDER_S:
                reminded = time.monotonic()
                waiting_for = ", ".join(missing) or "storage"
                log.warning("not ready", extra={"after_s": round(reminded - began), "waiting_for": waiting_for})
            time.sleep(STARTING_POLL_S)

    def _stop(self) -> None:
        """The worker first, which returns its jobs to the queue; Redis last, which the others need until they end."""
        self._signals = max(self._signals, 1)  # an error stops it as a signal does
        if jobs := sum(model.running for model in self._models()):
            hint = "another Ctrl-C returns them to the queue at once, for the next start"
            log.info("waiting for running jobs", extra={"jobs": jobs, "at_most_s": self._worker_grace_s, "hint": hint})
        for service in reversed(self._services):
            if service.process is None:
                continue
            service.process.terminate()
            self._wait_for(service, service.grace_s, signals=1)
            signals, deadline = self._signals, time.monotonic() + service.repeat_s
            while service.running and time.monotonic() < deadline and self._signals == signals:
                service.process.terminate()  # repeatedly: two signals that come together count as one
                self._wait_for(service, STARTING_POLL_S, signals)
            kill(service.process)
            service.process.wait()

    def _wait_for(self, service: Service, seconds: float, signals: int) -> None:
        """Until it has ended, the time is over, or more signals than these have come."""
        deadline = time.monotonic() + seconds
        while service.running and time.monotonic() < deadline and self._signals <= signals:
            time.sleep(POLL_S)

    @contextmanager
    def _handle_signals(self) -> Iterator[None]:
        def count(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.signal(number, count) for number in handled]
        try:
            yield
        finally:
            for number, handler in zip(handled, before, strict=True):
                signal.signal(number, handler)


def _write_private(path: Path, text: str) -> None:
    """For this user's other commands alone."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise SetupError(f"Can't listen on {host}:{port} ({folder.reason(error)}); choose another --port.") from error
    with listener:
        yield listener
