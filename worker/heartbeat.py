"""The one thread of a worker process that speaks to the store about running jobs.

It sends their progress and keeps their leases; it learns which ones are lost, and which threads hang. When Redis is
away, jobs go on, and heartbeats resume with it: a job that was taken back meanwhile is refused when it finishes.
"""

import logging
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

TICK_S = 0.2  # progress is told this often at most


class Heartbeat:
    """The attempts of one worker process, and the thread that speaks for them.

    Args:
        name: of this worker in the store; a process started anew has a new one.
        card: tells of its model.
    """

    def __init__(
        self, store: JobStore, settings: Settings, name: str, card: Callable[[], ModelCard] = ModelCard
    ) -> None:
        self.name = name
        self._card = card
        self._store = store
        self._settings = settings
        self._attempts: dict[str, Attempt] = {}
        self._told: dict[str, tuple[int, int, int]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._next = 0.0
        self._answered = True

    def start(self) -> None:
        """Announces the worker, before it returns and from then on."""
        self._round()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and takes the announcement back."""
        self._stopping.set()
        self._thread.join()
        try:
            self._store.unregister_worker(self.name)
        except StoreUnavailable:
            log.info("redis is away: this worker's announcement expires by itself")

    @contextmanager
    def hold(self, attempt: Attempt) -> Iterator[None]:
        """Keeps the attempt's lease alive meanwhile."""
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
            if self._answered:
                log.warning("redis doesn't answer; running jobs go on", extra={"reason": str(error)})
            self._answered = False
        except Exception:
            # This thread is what keeps the process' jobs; it has to outlive whatever goes wrong in one round.
            log.exception("a round of heartbeats failed")

    def _tick(self) -> None:
        held = {attempt.id: attempt for attempt in self.attempts() if not attempt.dropped}
        if time.monotonic() >= self._next:
            hung = sum(attempt.hung for attempt in self.attempts())
            slots = max(1, self._settings.slots - hung)
            self._store.register_worker(self.name, self._settings.model, slots, self._card())
            for lost in self._store.heartbeat(self.name, {attempt.id: attempt.token for attempt in held.values()}):
                held.pop(lost).drop()
            self._next = time.monotonic() + self._settings.lease_s / 4
        for attempt in held.values():
            self._tell(attempt)
        self._told = {id_: told for id_, told in self._told.items() if id_ in held}
        if not self._answered:
            log.warning("redis answers again")
        self._answered = True

    def _tell(self, attempt: Attempt) -> None:
        told = attempt.told
        if told != self._told.get(attempt.id, (0, 0, 0)):
            self._told[attempt.id] = told
            if not self._store.progress(attempt.id, attempt.token, step=told[0], total=told[1]):
                attempt.drop()
