"""Deletes expired files.

Those are: files of attempts that lost their job, files of canceled and failed jobs, results past their time, and
uploads past theirs that no job needs. Redis has the list of them by the time at which they expire. An entry is removed
only after its files are deleted, so an interrupted sweep is repeated by the next. Before it deletes files, it has
the storage remember what was deleted on request.
"""

from redis import Redis

from riffusion.jobs.database import Database
from riffusion.jobs.erasures import ErasureLog
from riffusion.settings import Settings
from riffusion.storage import Storage

_AT_ONCE = 20


class Sweep:
    """Deletes expired files, when called. Thread-safe; many processes may sweep at once."""

    def __init__(self, redis: Redis, files: Storage, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._files = files
        self._erasures = ErasureLog(redis, files, settings)

    def run(self) -> int:
        """Deletes the files of a few expired entries.

        Returns:
            How many entries those were.

        Raises:
            StoreUnavailable: Redis doesn't respond.
            StorageUnavailable: some files couldn't be deleted; a later sweep tries again.
        """
        self._erasures.store()
        tasks: list[list[bytes]] = self._database.run("take_expired_files", _AT_ONCE, resend=False)
        for member, keep, *prefixes in ([part.decode() for part in task] for task in tasks):
            for prefix in prefixes:
                if prefix != keep:  # the folder to keep may also be within one to delete, as in version 1
                    found = self._files.list(prefix)
                    self._files.delete(key for key in found if not (keep and key.startswith(keep)))
            self._database.run("confirm_deletion", member)
        return len(tasks)
