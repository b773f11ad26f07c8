"""Publishing a clip gives a share id, and no power over the job."""

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound, UnknownReference
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.requests import parse
from tests.jobs.conftest import by, run, submit


def test_a_published_clip_is_found_by_its_share_id_alone(store: JobStore, shares: ShareStore) -> None:
    submit(store)
    record = run(store)
    share_id = shares.publish(record.id)
    assert shares.get(share_id) == record
    assert shares.publish(record.id) == share_id
    assert record.id not in share_id
    with pytest.raises(NotFound):
        store.get(share_id)
    with pytest.raises(NotFound):
        shares.get(record.id)


def test_the_share_of_a_newer_format_is_hidden_from_older_versions(
    store: JobStore, shares: ShareStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = {"init": {"seed_image": "drums"}}
    request = parse({"mode": "crossfade", "start": seed, "end": seed, "alpha": 0.5})
    job_id = store.accept([Submission(request, by("alice"))]).records[0].id
    share_id = shares.publish(run(store).id)
    assert shares.get(share_id).id == job_id
    assert redis.get(f"share:{share_id}") is None
    monkeypatch.setattr("riffusion.jobs.shares.SCHEMA", 1)
    with pytest.raises(NotFound):
        shares.get(share_id)


def test_a_clip_has_one_share_id(store: JobStore, shares: ShareStore) -> None:
    seed = {"init": {"seed_image": "drums"}}
    request = parse({"mode": "crossfade", "start": seed, "end": seed, "alpha": 0.5})
    store.accept([Submission(request, by("alice"))])
    share_id = shares.publish(run(store).id)
    for other in (f"{request.schema_version}:{share_id}", f"{share_id}\n"):
        with pytest.raises(NotFound):
            shares.find(other)


def test_only_clips_are_published(store: JobStore, shares: ShareStore) -> None:
    waiting = submit(store)
    with pytest.raises(UnknownReference, match="queued"):
        shares.publish(waiting.id)
    with pytest.raises(NotFound):
        shares.publish("no-such-job-at-all")


def test_deleting_the_job_takes_the_share_with_it(store: JobStore, shares: ShareStore) -> None:
    submit(store)
    record = run(store)
    share_id = shares.publish(record.id)
    store.delete(record.id)
    with pytest.raises(Gone) as caught:
        shares.get(share_id)
    assert record.id not in str(caught.value)
    with pytest.raises(Gone):
        shares.publish(record.id)


def test_a_share_ends_with_its_clip(redis: Redis, shares: ShareStore, configured: Callable[..., JobStore]) -> None:
    store = configured()
    submit(store)
    share_id = shares.publish(run(store).id)
    left: Any = redis.ttl(f"share:{share_id}")
    day, week = 86_400, 7 * 86_400
    assert day + week - 60 < left <= day + week + 1
