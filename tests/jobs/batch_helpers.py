"""Batches in tests: made of prompts, fed, and looked at."""

import time

from redis import Redis

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.batch_draft import BatchLine, Draft
from riffusion.jobs.batch_record import BatchRecord
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.tenants import Tenant
from riffusion.requests import AnyRequest
from tests.jobs.conftest import prompt

OPEN = 5
"""Jobs of a tenant's batches in the queue or running, where there is one slot."""


def add(draft: Draft, tenant: Tenant, *requests: AnyRequest) -> None:
    """Adds requests to a draft."""
    lines = []
    for number, request in enumerate(requests, 1):
        submission = Submission(request, tenant, f"lines.{number}.")
        lines.append(BatchLine(f"row-{number}", submission, draft.resolve(submission)))
    draft.add(lines, [draft.entry(line) for line in lines])


def new_batch(
    batches: BatchStore, tenant: Tenant, count: int = 3, *requests: AnyRequest, key: str | None = None
) -> BatchRecord:
    """An accepted batch of so many requests, or of these."""
    draft = batches.begin(tenant, key)
    if not draft.known:
        add(draft, tenant, *(requests or [prompt(f"song {number}") for number in range(count)]))
    return batches.get(draft.commit(f"body of {count}")[0])


def in_hash(redis: Redis, key: str, field: str) -> int:
    """A number in a hash; 0 where there is none."""
    found: bytes | None = redis.hget(key, field)  # type: ignore[assignment]
    return int(found or 0)


def feed(batches: BatchStore, redis: Redis) -> None:
    """Feeds once, as if it had been a minute since the last time."""
    redis.delete("feeding")
    soon: list[bytes] = redis.zrangebyscore("batches", time.time(), time.time() + 60)  # type: ignore[assignment]
    for name in soon:
        redis.zadd("batches", {name: time.time()})
    batches.feed()
