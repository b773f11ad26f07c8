"""Batches, from their requests to the end of the last of them."""

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound
from riffusion.jobs.batch_record import BatchCounts, BatchStatus
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.store import JobStore
from tests.jobs.batch_helpers import feed, new_batch, new_key
from tests.jobs.conftest import claim, keys, run


@pytest.fixture
def batches(store: JobStore) -> BatchStore:
    """Batches on `store`, which has one worker with a slot."""
    store.models.register("w1", "tiny", 1)
    store.reap()
    return BatchStore(store)


def test_requests_become_jobs_in_order_as_there_are_places(store: JobStore, batches: BatchStore, redis: Redis) -> None:
    batch = new_batch(batches, new_key(redis, store), 12)
    assert batch.counts == BatchCounts(12, 0, 0, 0, 0, 0)
    feed(batches, redis)
    assert batches.get(batch.id).counts == BatchCounts(7, 5, 0, 0, 0, 0)
    made = [run(store) for _ in range(3)]
    feed(batches, redis)
    assert batches.get(batch.id).counts == BatchCounts(4, 5, 0, 3, 0, 0)
    assert [record.request["prompt"] for record in made] == ["song 0", "song 1", "song 2"]
    for _ in range(9):
        run(store)
        feed(batches, redis)
    ended = batches.get(batch.id)
    assert (ended.counts, ended.status) == (BatchCounts(0, 0, 0, 12, 0, 0), BatchStatus.COMPLETED)
    assert [item.own_id for item in batches.results(batch.id)] == [f"row-{n}" for n in range(1, 13)]
    assert {item.status for item in batches.results(batch.id)} == {"succeeded"}


def test_a_deleted_batch_leaves_nothing(store: JobStore, batches: BatchStore, redis: Redis) -> None:
    tenant = new_key(redis, store)
    batch = new_batch(batches, tenant, 12)
    feed(batches, redis)
    run(store)
    claim(store)
    batches.delete(batch.id)
    with pytest.raises(Gone):
        batches.get(batch.id)
    feed(batches, redis)
    feed(batches, redis)
    left = keys(redis, "batch*") | keys(redis, "job:*") | keys(redis, "kept:*") | keys(redis, "fed:*")
    assert left == set()
    assert redis.hget("model:tiny", "held") == b"0"
