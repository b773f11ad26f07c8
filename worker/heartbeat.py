"""The one thread of a worker process that reports running jobs to the store.

It sends their progress, extends their leases, ends attempts that have lost their job, and counts threads that hang.
While Redis is away jobs continue, and heartbeats resume when it returns: the result of a job that was requeued
meanwhile is refused.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from riffusion.errors import StoreUnavailable
from riffusion.jobs.store import JobStore
from riffusion.requests import ModelCard
from riffusion.settings import Settings
from worker.attempt import Attempt

log = logging.getLogger(__name__)

TICK_S = 0.2  # at least between two progress reports of a job
STUCK_S = 60.0  # no round takes as long: each call to Redis has a time limit, and the first that fails ends the round


class Heartbeat:
    """The attempts of one worker process, and the thread that reports on them.

    Args:
        name: of this worker in the store; each process has a new one.
        card: returns the description of its model.
    """

    def __init__(
        self, store: JobStore, settings: Settings, name: str, card: Callable[[], ModelCard] = ModelCard
    ) -> None:
        self.name = name
        self._card = card
        self._store = store
        self._settings = settings
        self._attempts: dict[str, Attempt] = {}
        self._sent: dict[str, tuple[int, int, int]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._next = 0.0
        self._round_ended = -math.inf  # of the monotonic clock
        self._store_available = True

    @property
    def alive(self) -> bool:
        """Whether a round has ended within the last minute, with Redis or without; false before the first."""
        return time.monotonic() - self._round_ended < STUCK_S

    def start(self) -> None:
        """Registers the worker, before it returns and from then on."""
        self._round()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and unregisters the worker."""
        self._stopping.set()
        self._thread.join()
        try:
            self._store.models.unregister(self.name)
        except StoreUnavailable:
            log.info("worker not unregistered; its entry expires with the lease")

    @contextmanager
    def hold(self, attempt: Attempt) -> Iterator[None]:
        """Extends the attempt's lease within the block."""
        with self._lock:
            self._attempts[attempt.id] = attempt
        try:
            yield
        finally:
            with self._lock:
                if self._attempts.get(attempt.id) is attempt:
                    del self._attempts[attempt.id]

    def attempts(self) -> list[Attempt]:
        """Those that run now."""
        with self._lock:
            return list(self._attempts.values())

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            self._round()

    def _round(self) -> None:
        try:
            self._tick()
        except StoreUnavailable as error:
            if self._store_available:
                log.warning("heartbeats interrupted", extra={"reason": str(error)})
            self._store_available = False
        except Exception:
            # This thread must not end: without it the process would lose all its jobs.
            log.exception("heartbeat failed")
        self._round_ended = time.monotonic()

    def _tick(self) -> None:
        held = {attempt.id: attempt for attempt in self.attempts() if not attempt.dropped}
        if time.monotonic() >= self._next:
            hung = sum(attempt.hung for attempt in self.attempts())
            slots = max(1, self._settings.slots - hung)
            self._store.models.register(self.name, self._settings.model, slots, self._card())
            for lost in self._store.heartbeat(self.name, {attempt.id: attempt.token for attempt in held.values()}):
                held.pop(lost).drop()
            self._next = time.monotonic() + self._settings.lease_s / 4
        for attempt in held.values():
            self._send_progress(attempt)
        self._sent = {id_: report for id_, report in self._sent.items() if id_ in held}
        if not self._store_available:
            log.warning("heartbeats resumed")
        self._store_available = True

    def _send_progress(self, attempt: Attempt) -> None:
        report = attempt.progress_report
        if report != self._sent.get(attempt.id, (0, 0, 0)):
            self._sent[attempt.id] = report
            preview = attempt.take_preview()
            if not self._store.progress(attempt.id, attempt.token, step=report[0], total=report[1], preview=preview):
                attempt.drop()
