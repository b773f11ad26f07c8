"""Removes everything that one client has: what a person may ask for (GDPR, article 17), and what abuse leaves behind.

Jobs, uploads and batches are deleted as by their owner, each in one script that also enters its files into the sweep's
list. So a purge that is interrupted loses nothing and is repeated: what it hasn't reached still names the client.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from redis import Redis

from riffusion.jobs.database import Database
from riffusion.jobs.inventory import Inventory
from riffusion.jobs.shares import share_keys
from riffusion.jobs.sweep import Sweep
from riffusion.jobs.tenants import includes, is_network
from riffusion.settings import Settings
from riffusion.storage import Storage


@dataclass(frozen=True)
class Purged:
    """What a purge has removed."""

    jobs: int
    uploads: int
    batches: int
    tombstones: int
    """Of jobs that were deleted or had expired before."""
    idempotency_keys: int
    last_file_s: float | None
    """Seconds until the sweep deletes the last file: of a job that ran, once its worker must have noticed; or None."""


class Purge:
    """Removes clients from one Redis and one storage. May be called again and again."""

    def __init__(self, redis: Redis, files: Storage, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._sweep = Sweep(redis, files, settings)

    def run(self, client: str, before: float = math.inf) -> Purged:
        """Removes what a client created before a time (Unix seconds), jobs that run included, and its counters.

        A key's name includes its end users, and an IPv6 network's those within it. What the client creates meanwhile
        may stay: block it first. A block stays, and so does the key itself.

        Raises:
            StoreUnavailable, StorageUnavailable: one of the two doesn't respond; call again.
        """
        batches = [
            each.id
            for each in Inventory(self._database).batches()
            if includes(client, each.scopes) and each.since < before
        ]
        for batch_id in batches:
            self._database.run("purge_batch", batch_id)  # first, so that no more of its requests become jobs
        mine = [each for each in Inventory(self._database).holdings() if includes(client, each.scopes)]
        jobs = [each.id for each in mine if each.kind == "job" and each.since < before]
        uploads = [each.id for each in mine if each.kind == "upload" and each.since < before]
        tombstones = [job_id for job_id in self._tombstones(client) if accepted_at(job_id) < before]
        # First, because nothing leads from a key to a client once its jobs are gone.
        idempotency_keys = self._forget_idempotency({*jobs, *batches, *tombstones})
        for job_id in (*jobs, *tombstones):
            self._database.run("purge_job", job_id, *share_keys(job_id))
        for upload_id in uploads:
            self._database.run("delete_upload", upload_id)
        if len(jobs) + len(uploads) == len(mine):
            if client.startswith("key:") and "/" not in client:
                self._forget_webhooks(client.removeprefix("key:"))
            self._database.run("forget_client", client, *self._names(client))
        while self._sweep.run():
            pass
        return Purged(
            len(jobs), len(uploads), len(batches), len(tombstones), idempotency_keys, self._last_file(jobs, uploads)
        )

    def _tombstones(self, client: str) -> Iterator[str]:
        for pattern, read, *field in (("gone:*", "GET"), ("charged:*", "HGET", "client")):
            for page in self._database.scan(pattern):
                makers = self._database.many((read, key, *field) for key in page)
                for key, maker in zip(page, makers, strict=True):
                    if maker and includes(client, (maker.decode(),)):
                        yield key.partition(":")[2]

    def _forget_idempotency(self, ids: set[str]) -> int:
        found = [
            key
            for page in self._database.scan("idem:*")
            for key, known in zip(page, self._database.many(("HGET", key, "ids") for key in page), strict=True)
            if known and not ids.isdisjoint(json.loads(known))
        ]
        for key in found:
            self._database.write("DEL", key)
        return len(found)

    def _names(self, client: str) -> set[str]:
        """The names within a client's that something is counted for: a key's end users, a network's addresses."""
        pattern = "address:*" if is_network(client) else f"{_escape(client)}/*"
        found = {key.partition(":")[2] for page in self._database.scan(f"*:{pattern}") for key in page}
        for model in self._database.command("SMEMBERS", "models"):
            found.update(self._database.members(f"clients:{model.decode()}", pattern))
        return {name for name in found if includes(client, (name,))}

    def _forget_webhooks(self, key: str) -> None:
        """Removes the queues of a key's webhooks, which are empty, and what is known of its hosts."""
        for page in self._database.scan(f"webhooks:*:{_escape(key)}*"):
            for name in page:
                if name.split(":", 2)[2].partition(" ")[0] == key:
                    self._database.write("DEL", name)
        for line in ("slow", "quick"):
            self._database.write("ZREM", f"webhooks:{line}", key)

    def _last_file(self, jobs: list[str], uploads: list[str]) -> float | None:
        now = float(self._database.command("TIME")[0])
        members = [*(f"job:{job_id}" for job_id in jobs), *(f"upload:{upload_id}" for upload_id in uploads)]
        due = [float(score) for score in self._database.many(("ZSCORE", "sweep_at", each) for each in members) if score]
        return max(0.0, max(due) - now) if due else None


def accepted_at(job_id: str) -> float:
    """When a job was accepted, Unix seconds: its id begins with that time in microseconds."""
    return int(job_id[:14], 16) / 1e6


def _escape(text: str) -> str:
    """A text as part of a pattern of Redis, where it stands for itself."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)
