"""A child process that should always run."""

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from riffusion.embedded.child import Process, kill
from riffusion.errors import SetupError

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 60.0  # a service that ran this long starts with the first delay again
GRACE_S = 10.0


@dataclass
class Service:
    """One part of the stack: how it starts, whether it serves, how long it may take to stop, and its process.

    An end is a crash, after which it is started again, if the process had served at any time, was killed by a signal,
    or asked for it by its status (0 or EX_TEMPFAIL). Any other end is a set-up that can't work.
    """

    name: str
    start: Callable[[], Process]
    serves: Callable[[], bool]  # or did a moment ago; asked until it is first so
    grace_s: float = GRACE_S
    urging_s: float = 0.0  # further seconds in which it is asked to end again and again, before it is killed
    delay_s: float = FIRST_DELAY_S  # before it is started again
    has_served: bool = False
    process: Process | None = None
    _started: float = 0.0
    _due: float = 0.0

    def launch(self) -> None:
        """Starts it.

        Raises:
            SetupError: it can't be started, and has never served.
        """
        try:
            self.process = self.start()
        except (OSError, SetupError) as error:
            if self.has_served:
                self._try_later(f"can't be started: {error}")
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
        """Starts it again some time after it died; each time soon after the last one later.

        Raises:
            SetupError: it doesn't start; the message has its name and status.
        """
        if self.process is None:
            if time.monotonic() >= self._due:
                self.launch()
        elif (status := self.process.poll()) is not None:
            kill(self.process)  # what it started must not go on without it
            self.process = None
            if status > 0 and status != os.EX_TEMPFAIL and not self._served():
                raise SetupError(f"{self.name} ended with status {status}; its output says why.")
            if time.monotonic() - self._started > STEADY_S:
                self.delay_s = FIRST_DELAY_S
            self._try_later(_end(status))
        else:
            self._served()

    def _served(self) -> bool:
        self.has_served = self.has_served or self.serves()
        return self.has_served

    def _try_later(self, reason: str) -> None:
        log.warning("%s %s; starting it again in %.1f s", self.name, reason, self.delay_s)
        self._due = time.monotonic() + self.delay_s
        self.delay_s = min(self.delay_s * 2, LONGEST_DELAY_S)


def _end(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name
    return f"was killed by {name}" + (" (so does Linux where memory runs out)" if name == "SIGKILL" else "")
