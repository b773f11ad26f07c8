"""How a worker process ends: warmly when it is asked to, by itself when too many of its threads hang.

A Python thread can't be killed. A hung job has long been failed by the store; what is left is a slot that never comes
back, and in the end a process that has to be started anew.
"""

import logging
import os
import signal
import threading
import time
from typing import Any

from riffusion.settings import Settings
from worker import metrics
from worker.heartbeat import Heartbeat
from worker.runner import Runner

log = logging.getLogger(__name__)

TICK_S = 0.2
EX_TEMPFAIL = 75  # sysexits.h: start it again


class Shutdown:
    """Watches over the end of a worker, in a thread of its own."""

    def __init__(self, runner: Runner, heartbeat: Heartbeat, settings: Settings) -> None:
        self._runner = runner
        self._heartbeat = heartbeat
        self._settings = settings
        self._asked: float | None = None
        self._thread = threading.Thread(target=self._run, name="shutdown", daemon=True)

    def start(self) -> None:
        """Starts to watch; ends with the process."""
        self._thread.start()

    def asked(self, **_: Any) -> None:
        """Takes no new job from now on and gives back what still runs after the grace; Celery's signal calls it."""
        self._runner.stop()
        self._asked = self._asked or time.monotonic()

    def _run(self) -> None:
        while True:
            time.sleep(TICK_S)
            self._look()

    def _look(self) -> None:
        attempts = self._heartbeat.attempts()
        hung = sum(attempt.hung for attempt in attempts)
        metrics.HUNG.set(hung)
        if self._asked is None:
            if self._runner.broken or (hung and hung * 2 >= self._settings.slots):
                log.error("too many threads hang, or the device is lost; this worker ends", extra={"hung": hung})
                os.kill(os.getpid(), signal.SIGTERM)  # Celery stops taking messages, and calls `asked`
            return
        if time.monotonic() - self._asked > self._settings.shutdown_grace_s:
            for attempt in attempts:
                attempt.give_back()
        if hung and hung == len(attempts):
            # The interpreter would wait for these threads for ever.
            log.error("ending in spite of threads that hang", extra={"hung": hung})
            self._heartbeat.stop()
            os._exit(EX_TEMPFAIL)
