"""Retries: operations on the storage and on the job store are repeated until they succeed."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from riffusion.backoff import Backoff
from riffusion.errors import StorageFull, StorageUnavailable, StoreUnavailable
from worker import metrics
from worker.attempt import Attempt

log = logging.getLogger(__name__)

BACKOFF = Backoff(first_s=0.2, longest_s=5.0)
SILENT_S = 5.0  # an operation that takes longer counts as failing until it ends

T = TypeVar("T")


class RetryPolicy:
    """Repeats storage operations that fail, and reports whether any of them is failing now. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failing_from: dict[int, float] = {}  # by thread: the time from which its operation counts as failing

    @property
    def storage_available(self) -> bool:
        """Whether no operation is failing or hanging now; also where none is in progress."""
        now = time.monotonic()
        with self._lock:
            return all(now < failing_from for failing_from in self._failing_from.values())

    def call(self, attempt: Attempt, operation: Callable[[], T]) -> T:
        """The operation's result, once it succeeds.

        Raises:
            StorageFull: waiting won't help.
            RiffusionError: the attempt has ended meanwhile; see Attempt.check.
        """
        thread, pauses = threading.get_ident(), iter(BACKOFF)
        self._mark_failing(thread, time.monotonic() + SILENT_S)
        try:
            while True:
                try:
                    return operation()
                except StorageFull:
                    raise
                except StorageUnavailable as error:
                    self._mark_failing(thread, time.monotonic())
                    metrics.STORAGE_FAILURES.inc()
                    log.warning("storage operation failed", extra={"job": attempt.id, "reason": str(error)})
                    attempt.pause(next(pauses))
        finally:
            with self._lock:
                del self._failing_from[thread]

    def _mark_failing(self, thread: int, since: float) -> None:
        with self._lock:
            self._failing_from[thread] = since


def call_store(attempt: Attempt, operation: Callable[[], T]) -> T:
    """The result of an idempotent operation on the job store, once Redis responds: no finished work is lost."""
    pauses = iter(BACKOFF)
    while True:
        try:
            return operation()
        except StoreUnavailable as error:
            log.warning("job store operation failed", extra={"job": attempt.id, "reason": str(error)})
            attempt.touch()
            time.sleep(next(pauses))
