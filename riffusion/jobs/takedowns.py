"""Clips that an operator has taken down: published nowhere, and not to be published again.

A take-down is of a clip, not of a share: it holds for every job with the same request and seed, in any audio format, so
neither a copy nor a clip that is made again brings it back. It has no end but `restore`. The storage remembers it as it
does deletions, so that it holds after an older backup of Redis was put back, too.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from redis import Redis

from riffusion.errors import NotFound
from riffusion.jobs.database import Database
from riffusion.jobs.erasures import ErasureLog
from riffusion.settings import Settings
from riffusion.storage import Storage

DIGEST = re.compile("[0-9a-f]{40}")
_AFTER_A_RESTORE = "It was taken down before this server was restored from a backup."


@dataclass(frozen=True)
class Takedown:
    """A clip that was taken down."""

    digest: str
    """Of the clip, hex."""
    share_id: str
    """Under which it was taken down; empty where that isn't known any more."""
    reason: str
    """Visitors and the publisher read it."""
    by: str
    """As in the audit log."""
    at: float
    """Unix seconds."""


def clip_digest(database: Database, job_id: str) -> str:
    """What a job's clip is recognised by: SHA-1 over model and request, hex; empty where there is no such job."""
    known, model, request = database.command("HMGET", f"job:{job_id}", "clip_digest", "model", "request")
    if known or not request:
        return known.decode() if known else ""
    wanted = json.loads(request)
    for name in ("format", "quality"):  # the same sound in another file, or by the steps that a quality stands for
        wanted.pop(name, None)
    canonical = json.dumps([model.decode(), wanted], sort_keys=True, separators=(",", ":"))
    return hashlib.sha1(canonical.encode(), usedforsecurity=False).hexdigest()


class TakedownStore:
    """The take-downs in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def find(self, digest: str) -> Takedown | None:
        """The take-down of the clip with this digest."""
        found = {name.decode(): value.decode() for name, value in self._database.hash(f"takedown:{digest}").items()}
        if not found:
            return None
        return Takedown(digest, found["share"], found["reason"], found["by"], float(found["at"]))

    def list(self, limit: int, cursor: str = "") -> tuple[list[Takedown], str | None]:
        """The latest first, and the cursor for the next page."""
        last = f"({cursor}" if cursor else "+inf"
        found = self._database.command(
            "ZREVRANGEBYSCORE", "takedowns", last, "-inf", "WITHSCORES", "LIMIT", "0", str(limit)
        )
        takedowns = [takedown for digest in found[::2] if (takedown := self.find(digest.decode()))]
        return takedowns, found[-1].decode() if len(found) == 2 * limit else None

    def all(self) -> Iterator[Takedown]:
        """All of them, the latest first."""
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = self.list(1000, cursor)
            yield from page

    def take_down(self, digest: str, share_id: str, reason: str, by: str) -> None:
        """Takes a clip down; a second time replaces reason and author."""
        self._database.run("take_down_clip", digest, share_id, reason, by)

    def restore(self, digest: str) -> None:
        """Ends a take-down.

        Raises:
            NotFound: there is none.
        """
        if not self._database.run("restore_clip", digest):
            raise NotFound("This clip isn't taken down; `riffusion clips list --taken-down` lists those that are.")


def find_forgotten(redis: Redis, files: Storage, settings: Settings) -> list[tuple[str, str, int]]:
    """What the storage remembers and Redis doesn't: `takedown` or `reinstatement`, digest and time in Unix seconds.

    Raises:
        StoreUnavailable, StorageUnavailable: one of the two doesn't respond.
    """
    latest: dict[str, tuple[int, bool]] = {}
    for erasure in ErasureLog(redis, files, settings).read():
        if erasure.kind in ("takedown", "reinstatement"):
            event = erasure.at, erasure.kind == "takedown"  # of both in one second, the take-down counts
            latest[erasure.digest] = max(event, latest.get(erasure.digest, event))
    store, forgotten = TakedownStore(redis, settings), []
    for digest, (at, down) in latest.items():
        takedown = store.find(digest)
        if down and takedown is None:
            forgotten.append(("takedown", digest, at))
        elif not down and takedown is not None and takedown.at < at:
            forgotten.append(("reinstatement", digest, at))
    return forgotten


def take_down_again(digest: str, redis: Redis, settings: Settings) -> None:
    """Repeats a take-down of which only the digest is known.

    Raises:
        StoreUnavailable: Redis doesn't respond.
    """
    TakedownStore(redis, settings).take_down(digest, "", _AFTER_A_RESTORE, "reconcile")
