"""A child process that should always run."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from riffusion.embedded.child import Process, kill

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 60.0  # a service that ran this long starts with the first delay again
GRACE_S = 10.0


@dataclass
class Service:
    """One part of the stack: how it starts, how long it may take to stop, and its process while there is one."""

    name: str
    start: Callable[[], Process]
    grace_s: float = GRACE_S
    process: Process | None = None
    _started: float = 0.0
    _due: float = 0.0
    _delay: float = FIRST_DELAY_S

    def launch(self) -> None:
        """Starts it."""
        self.process = self.start()
        self._started = time.monotonic()

    @property
    def ended(self) -> int | None:
        """Its exit status, if it isn't running."""
        return self.process.poll() if self.process is not None else None

    def watch(self) -> None:
        """Starts it again some time after it died; each time soon after the last one later."""
        now = time.monotonic()
        if self.process is not None and (status := self.process.poll()) is not None:
            kill(self.process)  # what it started must not go on without it
            if now - self._started > STEADY_S:
                self._delay = FIRST_DELAY_S
            log.warning("%s ended with status %s; starting it again in %.1f s", self.name, status, self._delay)
            self._due = now + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY_S)
            self.process = None
        elif self.process is None and now >= self._due:
            self.launch()
