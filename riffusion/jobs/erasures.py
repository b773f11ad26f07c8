"""What was deleted on request, remembered in the storage, so that an older backup of Redis doesn't bring it back.

So is what was taken out of the gallery. The scripts that delete add to a list in Redis; within seconds the sweep writes
it to a file of the storage, which is kept as long as a tombstone. `riffusion reconcile` reads these files after a
restore. They hold hashes: of ids, which have 128 random bits, and of purged clients.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from redis import Redis

from riffusion.errors import NotFound
from riffusion.jobs.database import TOMBSTONE_S, Database
from riffusion.settings import Settings
from riffusion.storage import Storage

FOLDER = "erasures/"
FILE = FOLDER + "[0-9]+-[0-9a-f]{16}[.]txt"  # a regular expression

_AT_ONCE = 1000


@dataclass(frozen=True)
class Erasure:
    """Something that was deleted on request."""

    kind: str
    """`job`, `upload`, `batch`, `key`, `secret` (of a key) or `client`; `listing` of a clip in the gallery; `takedown`
    or `reinstatement` of a clip."""
    digest: str
    """SHA-1 of its id or name, hex; of a listing, of the job's id; of the last two, the digest by which
    take-downs recognise the clip."""
    at: int
    """Unix seconds."""


class ErasureLog:
    """The erasures in one Redis and one storage. Thread-safe."""

    def __init__(self, redis: Redis, files: Storage, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._files = files

    def store(self) -> int:
        """Writes those that the storage lacks, unless another process has just done so.

        Returns:
            How many.

        Raises:
            StoreUnavailable: Redis doesn't respond.
            StorageUnavailable: they couldn't be written; a later call tries again.
        """
        taken = [member.decode() for member in self._database.run("take_erasures", _AT_ONCE, resend=False)]
        if taken:
            key = f"{FOLDER}{taken[0].rpartition(' ')[2]}-{secrets.token_hex(8)}.txt"
            self._files.put(key, "\n".join(taken).encode(), "text/plain")
            self._database.run("confirm_erasures", key, TOMBSTONE_S, *taken)
        return len(taken)

    def read(self) -> Iterator[Erasure]:
        """Those in the storage.

        Raises:
            StorageUnavailable: it can't be read.
        """
        for key in self._files.list(FOLDER):
            if not re.fullmatch(FILE, key):
                continue  # a draft, which may be torn, or another program's
            try:
                text = self._files.get(key).decode()
            except NotFound:
                continue  # its time was over meanwhile
            for line in text.splitlines():
                kind, digest, at = line.split()
                yield Erasure(kind, digest, int(at))


def digest(name: str) -> str:
    """As the scripts write an id or a name; not a secret's hash, but one from which random ids can't be read."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
