"""`riffusion up`: starts Redis, API and worker, starts again what dies, and leaves nothing behind.

The supervisor owns two things that its children borrow, so that a child may die and come back without anyone noticing:
the API's listening socket (connections wait in it meanwhile) and Redis' port. A third, the lock on the data folder, is
held by Redis too: the folder is free only when nothing writes to it any more, even after a kill -9 of the supervisor.
"""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

import httpx

from riffusion.embedded.child import kill, spawn
from riffusion.embedded.service import GRACE_S, Service
from riffusion.embedded.valkey import Valkey
from riffusion.errors import SetupError
from riffusion.settings import Settings

RIFFUSION = (sys.executable, "-m", "riffusion")
REDIS_URL = "redis.url"  # in the data folder: where `riffusion keys` finds a Redis that has a new password each time
POLL_S = 0.1
STARTING_POLL_S = 0.5
START_LIMIT_S = 600.0  # loading and compiling a large model takes minutes


@dataclass
class Supervisor:
    """The embedded stack, from start to stop.

    `port` 0 chooses a free one; `output` is where its processes write, standard error if None; `worker` is the
    worker's command.
    """

    settings: Settings
    host: str = "127.0.0.1"
    port: int = 8000
    output: IO[bytes] | None = None
    worker: Sequence[str] = (*RIFFUSION, "worker")
    _services: list[Service] = field(default_factory=list)
    _signals: int = 0

    def run(self, ready: Callable[[str], None]) -> None:
        """Runs until SIGINT, SIGTERM or SIGHUP. A second one doesn't wait for running jobs.

        Args:
            ready: called with the API's URL once jobs can be submitted and a worker waits for them.

        Raises:
            SetupError: the port or the data folder is in use, or a process doesn't start.
            ToolMissing: there is no valkey-server.
        """
        with ExitStack() as resources:
            lock = resources.enter_context(_lock(self.settings.data_dir))
            listener = resources.enter_context(_listen(self.host, self.port))
            resources.enter_context(self._handle_signals())
            resources.callback((self.settings.data_dir / REDIS_URL).unlink, missing_ok=True)
            resources.callback(self._stop)
            everywhere = self.host in ("", "0.0.0.0")  # noqa: S104 -- compared, not bound
            url = f"http://{'127.0.0.1' if everywhere else self.host}:{listener.getsockname()[1]}"
            self._start(url, listener.fileno(), lock)
            if self._signals:
                return
            ready(url)
            while not self._signals:
                for service in self._services:
                    service.watch()
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
            _write_private(self.settings.data_dir / REDIS_URL, valkey.url)
            self._launch(Service("redis", lambda: valkey.start(output=self.output, pass_fds=[lock])))
            self._wait(valkey.answers)
        api = [*RIFFUSION, "api", "--fd", str(listener)]
        self._launch(Service("api", lambda: spawn(api, env=env, output=self.output, pass_fds=[listener])))
        grace_s = self.settings.shutdown_grace_s + GRACE_S  # after the first it gives its jobs back
        self._launch(Service("worker", lambda: spawn(self.worker, env=env, output=self.output), grace_s))
        self._wait(lambda: _serves(url))

    def _launch(self, service: Service) -> None:
        if not self._signals:
            self._services.append(service)
            service.launch()

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds or a signal comes; a service that ends before then will not do better later."""
        deadline = time.monotonic() + START_LIMIT_S
        while not self._signals and not condition():
            for service in self._services:
                if service.ended is not None:
                    raise SetupError(f"{service.name} ended with status {service.ended}; its output says why.")
            if time.monotonic() > deadline:
                raise SetupError(f"The stack was not ready after {START_LIMIT_S:.0f} s.")
            time.sleep(STARTING_POLL_S)

    def _stop(self) -> None:
        """The worker first, which may still finish jobs; Redis last, which everyone needs until then."""
        patience = self._signals + 1
        for service in reversed(self._services):
            if service.process is None:
                continue
            service.process.terminate()
            deadline = time.monotonic() + service.grace_s
            while service.ended is None and time.monotonic() < deadline and self._signals < patience:
                time.sleep(POLL_S)
            kill(service.process)
            service.process.wait()

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


def _serves(url: str) -> bool:
    """Whether the API accepts jobs and a worker has said that it is there."""
    try:
        ready = httpx.get(f"{url}/readyz", timeout=5).is_success
        return ready and bool(httpx.get(f"{url}/models", timeout=5).json()["models"])
    except (httpx.HTTPError, KeyError):
        return False


def _write_private(path: Path, text: str) -> None:
    """For this user's other commands, and nobody else."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise SetupError(f"Can't listen on {host}:{port} ({_words(error)}); choose another --port.") from error
    with listener:
        yield listener


@contextmanager
def _lock(folder: Path) -> Iterator[int]:
    """Holds the data folder for this stack alone; the lock ends with the last process that has the descriptor."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"Can't write to {folder} ({_words(error)}); choose another --data folder.") from error
    try:
        for attempt in range(20):  # the processes of a stack that was just killed may take a moment to end
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == 19:  # noqa: PLR2004
                    raise SetupError(f"{folder} is in use by another `riffusion up`.") from None
                time.sleep(POLL_S)
        yield descriptor
    finally:
        os.close(descriptor)
