"""Polls for waiting jobs every few seconds, in case no message comes.

A broker that is out of memory takes no message; without polling, jobs that were accepted before would wait until it has
memory again.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from riffusion.errors import StoreUnavailable
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from worker.runner import Runner

log = logging.getLogger(__name__)

INTERVAL_S = 3.0


class Polling:
    """Runs waiting jobs in slots that no message has taken."""

    def __init__(self, store: JobStore, runner: Runner, settings: Settings) -> None:
        self._store = store
        self._runner = runner
        self._settings = settings
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(settings.slots, thread_name_prefix="polling")
        self._thread = threading.Thread(target=self._run, name="polling", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when the jobs that it started have ended, too."""
        self._stopping.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL_S):
            try:
                waiting = self._store.count_waiting(self._settings.model)
            except StoreUnavailable:
                continue  # the heartbeat logs it
            for _ in range(min(waiting, self._settings.slots)):
                self._pool.submit(self._runner.work_in_a_free_slot)
