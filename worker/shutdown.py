"""How a worker process ends: warmly on a signal, and by itself when too many of its threads hang.

Jobs that still run after the grace, or at a second signal, are returned to the queue: their threads stop at their next
check, and a job whose thread doesn't is released here.

A Python thread can't be killed. By the time that one counts as hung, the store has ended its job; but its slot is lost,
and in the end the process has to be started again.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from riffusion import tracing
from riffusion.errors import StoreUnavailable
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from worker import metrics
from worker.attempt import Attempt
from worker.heartbeat import Heartbeat
from worker.runner import Runner

log = logging.getLogger(__name__)

TICK_S = 0.2
GIVE_BACK_S = 2.0  # for threads to stop, unless they hang or are in a long step
EX_TEMPFAIL = 75  # sysexits.h: start it again


class Shutdown:
    """Ends a worker, from a thread of its own."""

    def __init__(self, runner: Runner, heartbeat: Heartbeat, store: JobStore, settings: Settings) -> None:
        self._runner = runner
        self._heartbeat = heartbeat
        self._store = store
        self._settings = settings
        self._requested_at: float | None = None
        self._urgent = False
        self._giving_back_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="shutdown", daemon=True)

    def start(self) -> None:
        """Starts the thread, which ends with the process."""
        self._thread.start()

    def request(self, sig: str | None = None, **_: Any) -> None:
        """Takes no new job from now on, and gives back those that still run after the grace or at the next signal.

        Args:
            sig: the signal; Celery calls this at each.
        """
        if self._requested_at is None:
            self._requested_at = time.monotonic()
            self._runner.stop()  # once: it takes a lock, which code that a second signal interrupts may hold
        elif sig is not None:
            self._urgent = True

    def _run(self) -> None:
        while True:
            time.sleep(TICK_S)
            self._check()

    def _check(self) -> None:
        attempts = self._heartbeat.attempts()
        hung = sum(attempt.hung for attempt in attempts)
        metrics.HUNG.set(hung)
        if self._requested_at is None:
            if self._runner.broken or (hung and hung * 2 >= self._settings.slots):
                log.error("too many threads hung, or device lost; worker stopped", extra={"hung": hung})
                os.kill(os.getpid(), signal.SIGTERM)  # Celery stops taking messages, and calls `request`
            return
        now = time.monotonic()
        if self._urgent or now - self._requested_at > self._settings.shutdown_grace_s:
            self._giving_back_since = self._giving_back_since or now
            for attempt in attempts:
                attempt.give_back()
        stuck = self._giving_back_since is not None and now - self._giving_back_since > GIVE_BACK_S
        if attempts and (stuck or hung == len(attempts)):
            # The interpreter would wait for these threads for ever.
            log.error("process ended with threads running", extra={"threads": len(attempts), "hung": hung})
            self._release(attempts)
            self._heartbeat.stop()
            tracing.shutdown()
            os._exit(EX_TEMPFAIL)

    def _release(self, attempts: Sequence[Attempt]) -> None:
        """Releases jobs for threads that don't; one that an attempt has lost stays as it is."""
        try:
            for attempt in attempts:
                self._store.release(attempt.id, attempt.token)
        except StoreUnavailable:
            log.warning("jobs not released; their leases will run out")
