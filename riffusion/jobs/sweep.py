"""Deletes the files that nobody needs any more.

Those are: what attempts left behind that lost their job, what canceled and failed jobs left behind, results past their
time, and uploads past theirs that no job needs. Redis keeps the list of what to look at when; an entry leaves it only
after its files are gone, so a sweep that dies is made up for by the next.
"""

from redis import Redis

from riffusion.jobs.database import Database
from riffusion.settings import Settings
from riffusion.storage import Files

_AT_ONCE = 20


class Sweep:
    """Deletes what is due, when called. Thread-safe; many processes may sweep at once."""

    def __init__(self, redis: Redis, files: Files, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._files = files

    def run(self) -> int:
        """Deletes the files of a few entries that are due; how many entries those were.

        Raises:
            StoreUnavailable: Redis doesn't answer.
            StorageUnavailable: some files couldn't be deleted; they come up again.
        """
        tasks: list[list[bytes]] = self._database.run("take_expired_files", _AT_ONCE, resend=False)
        for member, keep, *prefixes in ([part.decode() for part in task] for task in tasks):
            for prefix in prefixes:
                if prefix != keep:  # what is to be kept may also lie within a folder, as in version 1
                    found = self._files.list(prefix)
                    self._files.delete(key for key in found if not (keep and key.startswith(keep)))
            self._database.run("confirm_deletion", member)
        return len(tasks)
