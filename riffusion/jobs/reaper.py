"""The periodic work that recovers from lost workers, lost messages and interrupted processes."""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from riffusion.errors import UnavailableError
from riffusion.jobs import threads
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.sweep import Sweep
from riffusion.jobs.wakeup import WakeUps
from riffusion.storage import Storage

INTERVAL_S = 1.0

_log = structlog.get_logger(__name__)


class Reaper:
    """Every second: requeues the jobs of lost workers, publishes missing wake-ups, feeds batches, deletes files.

    One runs in every API and every worker process; any one of them is enough.
    """

    def __init__(self, store: JobStore, files: Storage, observe: Callable[[float], object] = lambda _: None) -> None:
        """
        Args:
            observe: called with the seconds that the store took to reap: a write that it has to sync.
        """
        self._store = store
        self._observe = observe
        self._wakeups = WakeUps(store.settings)
        self._batches = BatchStore(store)
        self._sweep = Sweep(store.redis, files, store.settings)
        self._stopped = threading.Event()
        # Several threads: a storage that hangs must not delay the leases.
        self._threads = [
            threading.Thread(target=self._every_second, args=(task,), name=name, daemon=True)
            for name, task in (("reaper", self.reap), ("feeder", self.feed), ("sweep", self.sweep))
        ]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads; returns when they have ended."""
        self._stopped.set()
        for thread in self._threads:
            threads.join(thread)

    def reap(self) -> None:
        """Reaps once."""
        began = time.perf_counter()
        missing = self._store.reap()
        self._observe(time.perf_counter() - began)
        self._publish(missing)

    def feed(self) -> None:
        """Makes jobs of the next requests of batches."""
        self._publish(self._batches.feed())

    def sweep(self) -> None:
        """Sweeps until nothing is due."""
        while not self._stopped.is_set() and self._sweep.run():
            pass

    def _publish(self, missing: Mapping[str, int]) -> None:
        for model, count in missing.items():
            self._wakeups.publish(model, count)

    def _every_second(self, task: Callable[[], None]) -> None:
        # Checked each time, rather than waited on in the loop's head: gevent never wakes a second wait for an event
        # that was set while the first one timed out.
        while not self._stopped.is_set():
            try:
                task()
            except UnavailableError as error:
                _log.warning("reaper task failed", task=task.__name__, code=error.code, detail=str(error))
            except Exception:
                # The thread must not end: without it, jobs of lost workers would be stuck for good.
                _log.exception("reaper task failed", task=task.__name__)
            self._stopped.wait(INTERVAL_S)
