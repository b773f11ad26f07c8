"""What one client has and may do, and blocks: an operator's word that a client may create nothing."""

from collections import Counter
from dataclasses import dataclass

from redis import Redis

from riffusion.errors import NotFound
from riffusion.jobs.database import Database
from riffusion.jobs.inventory import Inventory
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.shares import share_keys
from riffusion.jobs.tenants import Quota, anonymous_quota, includes, key_of
from riffusion.settings import Settings

MAX_HOURS = 24 * 366  # of a block that ends by itself
_BLOCKED = "blocked:"


def block_seconds(hours: float | None) -> int:
    """How long a block of so many hours lasts, in whole seconds; 0 for None, which is until it is ended."""
    return max(1, round(3600 * hours)) if hours else 0


@dataclass(frozen=True)
class Block:
    """Why, by whom and until when a client may create nothing."""

    client: str
    reason: str
    """The client reads it."""
    by: str
    at: float
    """Unix seconds."""
    expires_s: int | None
    """Seconds that are left; None: for good."""


@dataclass(frozen=True)
class ClientView:
    """What a client has, end users of a key and networks within a network included."""

    jobs: dict[str, int]
    """Status -> number."""
    uploads: int
    batches: int
    held: int
    """Requests of those that aren't jobs yet."""
    published: int
    """Clips."""
    stored_bytes: int
    """Of uploads and results, those of deleted jobs that others still show not included."""
    request_bytes: int
    first_at: float | None
    """When the oldest of its jobs and uploads was created or left to it, Unix seconds."""
    limits: Quota | None
    """Of the client itself, or each end user; None where there is no such key, or none any more."""
    block: Block | None
    """Of the client itself; that of a network around it counts, too."""

    @property
    def empty(self) -> bool:
        """Whether nothing is known of it: no key, nothing that it made, no block."""
        return self.limits is None and not (self.jobs or self.uploads or self.batches or self.block)


class ClientDirectory:
    """The clients in one Redis. Every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(redis, settings)
        self._keys = KeyStore(redis, settings)

    def show(self, client: str) -> ClientView:
        """What a client has. Reads all records."""
        mine = [
            each for each in Inventory(self._database).holdings() if includes(client, each.scopes) and not each.deleted
        ]
        fields = ("status", "stored_bytes", "request_bytes")
        found = self._database.many(("HMGET", f"{each.kind}:{each.id}", *fields) for each in mine)
        shares = self._database.many(("EXISTS", *share_keys(each.id)) for each in mine if each.kind == "job")
        batches = [
            each.id
            for each in Inventory(self._database).batches()
            if includes(client, each.scopes) and not each.deleted
        ]
        held = self._database.many(("LLEN", f"batch_lines:{each}") for each in batches)
        sizes = self._database.many(("HMGET", f"batch:{each}", "held_bytes", "ids_bytes") for each in batches)
        return ClientView(
            jobs=dict(Counter(status.decode() for status, _, _ in found if status)),
            uploads=sum(each.kind == "upload" for each in mine),
            batches=len(batches),
            held=sum(held),
            published=sum(shares),
            stored_bytes=sum(int(stored or 0) for _, stored, _ in found),
            request_bytes=sum(int(request or 0) for _, _, request in found)
            + sum(int(size or 0) for each in sizes for size in each),
            first_at=min((each.since for each in mine), default=None),
            limits=self._limits(client),
            block=self._block(client),
        )

    def block(self, client: str, reason: str, by: str, seconds: int = 0) -> None:
        """Lets a client create no jobs, uploads or published clips from now on; it may read and delete what it has.

        Args:
            seconds: for which that holds; 0: until `unblock`.

        Raises:
            NotFound: it is or belongs to a key that there isn't.
        """
        self.require_key(client)
        self._database.run("block_client", client, reason, by, seconds)

    def require_key(self, client: str) -> None:
        """Returns if the client is an address, or is or belongs to a key that there is.

        Raises:
            NotFound: there is no such key.
        """
        key_id = key_of(client)
        if key_id is not None:
            self._keys.require(key_id)

    def unblock(self, client: str) -> None:
        """Ends a block.

        Raises:
            NotFound: it isn't blocked.
        """
        if not self._database.write("DEL", _BLOCKED + client):
            raise _unblocked(client)

    def require_block(self, client: str) -> None:
        """Returns if the client is blocked.

        Raises:
            NotFound: it isn't.
        """
        if self._block(client) is None:
            raise _unblocked(client)

    def blocks(self) -> list[Block]:
        """All blocks, the latest first."""
        names = {key.removeprefix(_BLOCKED) for page in self._database.scan(f"{_BLOCKED}*") for key in page}
        found = filter(None, map(self._block, names))
        return sorted(found, key=lambda block: -block.at)

    def _block(self, client: str) -> Block | None:
        found = self._database.hash(_BLOCKED + client)
        if not found:
            return None
        left = int(self._database.command("TTL", _BLOCKED + client))
        return Block(
            client, found[b"reason"].decode(), found[b"by"].decode(), float(found[b"at"]), left if left >= 0 else None
        )

    def _limits(self, client: str) -> Quota | None:
        key_id = key_of(client)
        if key_id is None:
            return anonymous_quota(self._settings)
        key = self._keys.get(key_id)
        return key.quota if key else None


def _unblocked(client: str) -> NotFound:
    return NotFound(f"{client} isn't blocked; `riffusion clients show` lists the clients that are.")
