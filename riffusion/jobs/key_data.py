"""What a key owns, its end users' jobs, uploads and batches included: counted, left to another key, or deleted.

Each step moves or deletes one thing, so that an interrupted run is finished by the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redis import Redis

from riffusion.errors import Conflict
from riffusion.jobs.database import Database
from riffusion.jobs.keys import Key
from riffusion.jobs.tenants import key_of, key_tenant
from riffusion.settings import Settings

_AT_ONCE = 100


@dataclass(frozen=True)
class Owned:
    """A number of jobs, uploads and batches."""

    jobs: int
    uploads: int
    batches: int = 0

    def __str__(self) -> str:
        return f"{self.jobs} jobs, {self.uploads} uploads and {self.batches} batches"

    def __bool__(self) -> bool:
        return self != Owned(0, 0)


class KeyData:
    """What keys own in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond.

    Uploads that came in under a version without lists of them, up to 2026-11-28, aren't found; they expire.
    """

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def count(self, key_id: str) -> Owned:
        """How much a key owns, whether it still exists or was revoked."""
        return Owned(*(
            sum(int(self._database.command("ZCARD", f"{kind}:{owner}")) for owner in self._owners(kind, key_id))
            for kind in ("of", "uploads_of", "batches_of")
        ))  # fmt: skip

    def leave(self, key_id: str, heir: Key) -> Owned:
        """Leaves all that a key owns to another one: jobs that wait or run do so on, and are the heir's.

        What its end users made is that of the heir's end users of the same names, if the heir is for end users. The
        heir's limits count it, and refuse nothing.

        Raises:
            Conflict: the heir is the key itself.
        """
        if heir.id == key_id:
            raise Conflict(f"Key {key_id} owns that already.")

        def heir_of(owner: str) -> str:
            end_user = owner.partition("/")[2]
            return key_tenant(heir.id, end_user if heir.for_end_users else None)

        def leave(kind: str, script: str) -> int:
            return self._each(kind, key_id, lambda name, owner: self._run(script, name, owner, heir_of(owner)))

        # Batches first: what becomes a job meanwhile is the heir's.
        batches = leave("batches_of", "transfer_batch")
        return Owned(leave("of", "transfer_job"), leave("uploads_of", "transfer_upload"), batches)

    def delete(self, key_id: str) -> Owned:
        """Deletes all that a key owns; jobs that haven't ended are canceled."""

        def delete(kind: str, script: str) -> int:
            return self._each(kind, key_id, lambda name, _: self._run(script, name))

        batches = delete("batches_of", "delete_batch")
        return Owned(delete("of", "delete_job"), delete("uploads_of", "delete_upload"), batches)

    def _run(self, script: str, *args: str) -> int:
        return int(self._database.run(script, *args))

    def _each(self, kind: str, key_id: str, act: Callable[[str, str], int]) -> int:
        """Acts on everything in a key's lists of a kind until they are empty; how often it had an effect."""
        count = 0
        for owner in self._owners(kind, key_id):
            while found := self._database.command("ZRANGE", f"{kind}:{owner}", "0", str(_AT_ONCE - 1)):
                for name in (each.decode() for each in found):
                    if act(name, owner):
                        count += 1
                    else:
                        self._database.write("ZREM", f"{kind}:{owner}", name)  # it was gone already
        return count

    def _owners(self, kind: str, key_id: str) -> Iterator[str]:
        """The tenants of a key that own anything."""
        for page in self._database.scan(f"{kind}:{key_tenant(key_id)}*"):
            for key in page:
                owner = key.removeprefix(f"{kind}:")
                if key_of(owner) == key_id:  # and not another key, whose id begins so
                    yield owner
