"""How a worker process ends: warmly when it is asked to, by itself when too many of its threads hang.

Jobs that still run after the grace, or at a second signal, are given back: their threads stop at their next check, and
a job whose thread doesn't is put back into the queue here, whatever the thread does.

A Python thread can't be killed. A hung job has long been failed by the store; what is left is a slot that never comes
back, and in the end a process that has to be started anew.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

from riffusion.errors import StoreUnavailable
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from worker import metrics
from worker.attempt import Attempt
from worker.heartbeat import Heartbeat
from worker.runner import Runner

log = logging.getLogger(__name__)

TICK_S = 0.2
GIVE_BACK_S = 2.0  # in which a thread that was told to stop does so, unless it hangs or is in a long step
EX_TEMPFAIL = 75  # sysexits.h: start it again


class Shutdown:
    """Watches over the end of a worker, in a thread of its own."""

    def __init__(self, runner: Runner, heartbeat: Heartbeat, store: JobStore, settings: Settings) -> None:
        self._runner = runner
        self._heartbeat = heartbeat
        self._store = store
        self._settings = settings
        self._asked: float | None = None
        self._hurried = False
        self._giving_back: float | None = None
        self._thread = threading.Thread(target=self._run, name="shutdown", daemon=True)

    def start(self) -> None:
        """Starts to watch; ends with the process."""
        self._thread.start()

    def asked(self, sig: str | None = None, **_: Any) -> None:
        """Takes no new job from now on and gives back what still runs after the grace, or at the next signal.

        Args:
            sig: the signal that asks; Celery calls this at each.
        """
        if self._asked is None:
            self._asked = time.monotonic()
            self._runner.stop()  # once: it takes a lock, which the code that a second signal interrupts may hold
        elif sig is not None:
            self._hurried = True

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
        now = time.monotonic()
        if self._hurried or now - self._asked > self._settings.shutdown_grace_s:
            self._giving_back = self._giving_back or now
            for attempt in attempts:
                attempt.give_back()
        stuck = self._giving_back is not None and now - self._giving_back > GIVE_BACK_S
        if attempts and (stuck or hung == len(attempts)):
            # The interpreter would wait for these threads for ever.
            log.error("ending in spite of threads that run on", extra={"threads": len(attempts), "hung": hung})
            self._release(attempts)
            self._heartbeat.stop()
            os._exit(EX_TEMPFAIL)

    def _release(self, attempts: Sequence[Attempt]) -> None:
        """What their threads would do, if they still did anything; a job that isn't an attempt's any more is left."""
        try:
            for attempt in attempts:
                self._store.release(attempt.id, attempt.token)
        except StoreUnavailable:
            log.warning("redis is away: the jobs wait until their leases end")
