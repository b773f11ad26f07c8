"""The thread that keeps the promises of the store while workers and brokers come and go."""

from riffusion.jobs.files import Files
from riffusion.jobs.store import JobStore


class Reaper:
    """Every second: takes back jobs of dead workers, publishes missing wake-ups, deletes files nobody needs.

    One runs in every API and every worker process; any one of them is enough.
    """

    def __init__(self, store: JobStore, files: Files) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Starts the thread."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends the thread; returns when it has ended."""
        raise NotImplementedError
