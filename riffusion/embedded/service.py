"""A child process that should always run."""

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from riffusion.backoff import Backoff
from riffusion.embedded.child import Process, kill
from riffusion.errors import SetupError

log = logging.getLogger(__name__)

BACKOFF = Backoff(first_s=0.5, longest_s=30.0)
STEADY_S = 60.0  # a service that ran this long is started again after the first pause
GRACE_S = 10.0


@dataclass
class Service:
    """One part of the stack: how it starts, whether it serves, how long it may take to stop, and its process.

    An end is a crash, after which it is started again, if the process had served at any time, was killed by a signal,
    or ended with a status that requests it (0 or EX_TEMPFAIL). Any other end is a set-up error.
    """

    name: str
    start: Callable[[], Process]
    serves: Callable[[], bool]
    """Whether it serves, or did a moment ago; called until it first does."""
    grace_s: float = GRACE_S
    """Seconds to end in after SIGTERM."""
    repeat_s: float = 0.0
    """Further seconds in which SIGTERM is sent repeatedly, before it is killed."""
    backoff: Backoff = BACKOFF
    """Pauses before it is started again."""
    has_served: bool = False
    process: Process | None = None
    _started: float = 0.0
    _due: float = 0.0

    def __post_init__(self) -> None:
        self._pauses = iter(self.backoff)

    def launch(self) -> None:
        """Starts it.

        Raises:
            SetupError: it can't be started, and has never served.
        """
        try:
            self.process = self.start()
        except (OSError, SetupError) as error:
            if self.has_served:
                self._start_later(f"can't be started: {error}")
            elif isinstance(error, SetupError):
                raise
            else:
                raise SetupError(f"Can't start {self.name}: {error}") from error
        self._started = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether its process has not ended."""
        return self.process is not None and self.process.poll() is None

    def watch(self) -> None:
        """Starts it again some time after a crash; after longer each time, unless it has run for long.

        Raises:
            SetupError: it ended by a set-up error; the message has its name and status.
        """
        if self.process is None:
            if time.monotonic() >= self._due:
                self.launch()
        elif (status := self.process.poll()) is not None:
            kill(self.process)  # with the processes that it started
            self.process = None
            if status > 0 and status != os.EX_TEMPFAIL and not self._served():
                raise SetupError(f"{self.name} ended with status {status}; its output says why.")
            if time.monotonic() - self._started > STEADY_S:
                self._pauses = iter(self.backoff)
            self._start_later(_end(status))
        else:
            self._served()

    def _served(self) -> bool:
        self.has_served = self.has_served or self.serves()
        return self.has_served

    def _start_later(self, reason: str) -> None:
        pause = next(self._pauses)
        log.warning("service down", extra={"service": self.name, "reason": reason, "starts_again_in_s": pause})
        self._due = time.monotonic() + pause


def _end(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name
    return f"was killed by {name}" + (" (as Linux does when memory runs out)" if name == "SIGKILL" else "")
