"""Deletes again what was deleted on request before a backup of Redis brought it back, takes clips out of the gallery
again, and repeats take-downs and their ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from redis import Redis

from riffusion.jobs.database import Database
from riffusion.jobs.erasures import ErasureLog, digest
from riffusion.jobs.gallery import MAX_LISTED, listings
from riffusion.jobs.inventory import Inventory
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.purge import Purge, accepted_at
from riffusion.jobs.takedowns import TakedownStore, find_forgotten, take_down_again
from riffusion.settings import Settings
from riffusion.storage import Storage


@dataclass(frozen=True)
class Returned:
    """Something that was deleted on request and is there again."""

    kind: str
    """`job`, `upload`, `batch`, `key`, `secret` or `client`; `listing`: of a clip in the gallery; `takedown`: of one
    that isn't taken down any more; `reinstatement`: of one that is taken down again."""
    name: str
    """Its id; of a secret, that of its key; of a client, its name; of a listing, the job's id; of the last two, the
    clip's digest."""
    erased_at: int
    """Unix seconds."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def find_erased(redis: Redis, files: Storage, settings: Settings) -> list[Returned]:
    """What is in Redis though the storage remembers its deletion.

    Raises:
        StoreUnavailable, StorageUnavailable: one of the two doesn't respond.
    """
    present: dict[tuple[str, str], tuple[str, float]] = {}
    for kind, name, created_at in _present(Database(redis, settings)):
        key = kind, digest(name)
        present[key] = name, min(created_at, present.get(key, (name, created_at))[1])
    for each in KeyStore(redis, settings).list():
        present["key", digest(each.id)] = present["secret", digest(each.digest)] = each.id, 0.0
    found = {}
    for erasure in ErasureLog(redis, files, settings).read():
        name, created_at = present.get((erasure.kind, erasure.digest), ("", float("inf")))
        if created_at < erasure.at + 1:  # what a client has made since its purge, or listed again, stays
            found[erasure.kind, name] = Returned(erasure.kind, name, erasure.at)
    return [*found.values(), *(Returned(*each) for each in find_forgotten(redis, files, settings))]


def erase_again(found: list[Returned], redis: Redis, files: Storage, settings: Settings) -> None:
    """Deletes it as it was deleted before.

    Raises:
        StoreUnavailable: Redis doesn't respond; what was done so far is done.
    """
    database, keys = Database(redis, settings), KeyStore(redis, settings)
    for each in sorted(found, key=lambda each: (each.kind != "client", each.kind != "secret")):
        match each.kind:
            case "client":
                Purge(redis, files, settings).run(each.name, before=each.erased_at + 1)
            case "job" | "upload" | "batch":
                database.run(f"delete_{each.kind}", each.name)
            case "key":
                database.run("revoke_key", each.name)
            case "listing":
                database.run("list_clip", each.name, 0, MAX_LISTED)
            case "takedown":
                take_down_again(each.name, redis, settings)
            case "reinstatement":
                TakedownStore(redis, settings).restore(each.name)
            case "secret":
                # No secret has this digest: to be rotated again. The one before was replaced earlier still.
                keys.change(each.name, lambda key: replace(key, digest="", replaced=None))


def _present(database: Database) -> Iterator[tuple[str, str, float]]:
    """Kind, name and time of creation of everything that may have been erased."""
    inventory = Inventory(database)
    for holding in chain(inventory.holdings(), inventory.batches()):
        if not holding.deleted:
            yield holding.kind, holding.id, 0.0
        for scope in holding.scopes:
            yield "client", scope, holding.since
            yield "client", scope.partition("/")[0], holding.since
    for job_id, listed_at in listings(database):
        yield "listing", job_id, listed_at
    for page in database.scan("gone:*"):
        for key, maker in zip(page, database.many(("GET", key) for key in page), strict=True):
            if maker:
                yield "client", maker.decode(), accepted_at(key.partition(":")[2])
                yield "client", maker.decode().partition("/")[0], accepted_at(key.partition(":")[2])
