"""The storage as a worker uses it: with patience, and with an eye on whether it answers."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from riffusion.errors import StorageFull, StorageUnavailable
from worker.attempt import Attempt

log = logging.getLogger(__name__)

SILENT_S = 5.0  # an operation that takes longer counts as failing until it ends
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0

T = TypeVar("T")


class Patience:
    """Repeats operations that fail, and knows whether any does so now. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._doubted_at: dict[int, float] = {}  # by thread: when its operation counts as failing

    @property
    def storage_answers(self) -> bool:
        """Whether no operation is failing or hanging now. A storage that nobody uses counts as one that answers."""
        now = time.monotonic()
        with self._lock:
            return all(now < doubted_at for doubted_at in self._doubted_at.values())

    def insist(self, attempt: Attempt, operation: Callable[[], T]) -> T:
        """The operation's result, once it succeeds.

        Raises:
            StorageFull: waiting won't help.
            RiffusionError: the attempt has ended meanwhile; see Attempt.check.
        """
        pause, me = FIRST_PAUSE_S, threading.get_ident()
        self._doubt(me, time.monotonic() + SILENT_S)
        try:
            while True:
                try:
                    return operation()
                except StorageFull:
                    raise
                except StorageUnavailable as error:
                    self._doubt(me, time.monotonic())
                    log.warning("the storage fails; trying again", extra={"job": attempt.id, "reason": str(error)})
                    attempt.pause(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_S)
        finally:
            with self._lock:
                del self._doubted_at[me]

    def _doubt(self, thread: int, since: float) -> None:
        with self._lock:
            self._doubted_at[thread] = since
