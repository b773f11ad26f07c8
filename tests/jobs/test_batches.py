"""Batches, from their requests to the end of the last of them, and what they leave."""

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound, StoreUnavailable, UnknownReference
from riffusion.jobs.batch_record import BatchCounts, BatchStatus
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.record import Failure
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant
from riffusion.requests import parse
from tests.jobs.batch_helpers import OPEN, add, feed, in_hash, new_batch
from tests.jobs.conftest import claim, keys, lose, outwait, prompt, run, submit
from tests.jobs.test_reconcile import restore


def test_requests_become_jobs_in_order_as_there_are_places(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    batch = new_batch(batches, tenant, 12)
    assert batch.counts == BatchCounts(12, 0, 0, 0, 0, 0)
    feed(batches, redis)
    assert batches.get(batch.id).counts == BatchCounts(7, 5, 0, 0, 0, 0)
    made = [run(store) for _ in range(3)]
    assert batches.get(batch.id).counts == BatchCounts(7, 2, 0, 3, 0, 0)
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


def test_what_waits_for_too_long_fails(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch = new_batch(batches, tenant, 7)
    feed(batches, redis)
    redis.hset(f"batch:{batch.id}", "created_at", "1")
    feed(batches, redis)
    assert batches.get(batch.id).counts == BatchCounts(0, OPEN, 0, 0, 2, 0)
    last = list(batches.results(batch.id))[-1]
    assert (last.status, last.error and last.error.code, last.job_id) == ("failed", "deadline_exceeded", None)


def test_a_job_of_a_batch_waits_as_long_as_its_batch(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    batch = new_batch(batches, tenant, 1)
    feed(batches, redis)
    record = claim(store)
    for job_id in (record.id, record.id):
        due = redis.zscore("due", job_id)
        store.release(record.id, record.token)
        due = redis.zscore("due", job_id)
        assert due == pytest.approx(batch.created_at + 7 * 86400, abs=2)
        record = claim(store)
    store.release(record.id, record.token)
    outwait(redis, record)
    store.reap()
    assert batches.get(batch.id).counts.failed == 1


def test_a_retired_models_batch_fails(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    store.models.register("w2", "old", 1)
    batch = new_batch(batches, tenant, 0, *(prompt(f"song {n}", model="old") for n in range(9)))
    feed(batches, redis)
    store.models.unregister("w2")
    ModelControl(redis, store.settings).retire("old")
    feed(batches, redis)
    assert batches.get(batch.id).counts.failed == 9
    assert {item.error.code for item in batches.results(batch.id) if item.error} == {"model_retired"}
    assert not redis.exists("model:old")


def test_what_is_held_is_counted_right_if_a_retired_model_is_there_again(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    store.models.register("w2", "old", 1)
    batch = new_batch(batches, tenant, 0, *(prompt(f"song {n}", model="old") for n in range(3)))
    store.models.unregister("w2")
    ModelControl(redis, store.settings).retire("old")
    store.models.register("w2", "old", 1)
    assert in_hash(redis, "model:old", "held") == 3
    batches.cancel(batch.id)
    assert in_hash(redis, "model:old", "held") == 0


def test_a_draft_does_not_bring_a_retired_model_back(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    store.models.register("w2", "old", 1)
    draft = batches.begin(tenant, None)
    add(draft, tenant, prompt(model="old"))
    store.models.unregister("w2")
    ModelControl(redis, store.settings).retire("old")
    with pytest.raises(UnknownReference, match="no model old"):
        draft.commit("body")
    assert not redis.exists("model:old")
    assert not redis.sismember("models", "old")


def test_an_end_that_a_process_without_batches_wrote_is_counted(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    batch = new_batch(batches, tenant, 3)
    feed(batches, redis)
    ended, deleted = claim(store), claim(store, "w2")
    redis.hdel(f"job:{ended.id}", "batch")
    redis.hdel(f"job:{deleted.id}", "batch")
    store.finish(ended.id, ended.token, Failure("internal", ""))
    store.delete(deleted.id)
    assert batches.get(batch.id).counts.failed == 0
    feed(batches, redis)
    assert batches.get(batch.id).counts == BatchCounts(0, 1, 0, 0, 1, 1)


def test_a_lost_worker_and_a_requeue_are_counted_right(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    batch = new_batch(batches, tenant, 1)
    feed(batches, redis)
    for _ in range(3):
        lose(redis, claim(store, "w1"))
        store.reap()
    failed = batches.get(batch.id)
    assert (failed.counts.failed, failed.status) == (1, BatchStatus.COMPLETED)
    job_id = next(batches.results(batch.id)).job_id or ""
    Requeue(redis, store.settings).requeue(job_id)
    again = batches.get(batch.id)
    assert (again.counts.queued, again.counts.failed, again.status) == (1, 0, BatchStatus.RUNNING)
    run(store)
    assert batches.get(batch.id).counts == BatchCounts(0, 0, 0, 1, 0, 0)


def test_an_equal_request_shows_the_earlier_clip(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    again = prompt("the same", seed=1)
    batch = new_batch(batches, tenant, 0, again, again)
    feed(batches, redis)
    run(store)
    run(store)
    second = new_batch(batches, tenant, 0, *[again] * 30)
    feed(batches, redis)
    assert batches.get(second.id).counts == BatchCounts(0, 0, 0, 30, 0, 0)
    assert batches.get(batch.id).status == BatchStatus.COMPLETED


def test_a_result_may_be_deleted_before_the_turn_of_a_request_that_names_it(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    submit(store, client=tenant.name)
    made = run(store)
    request = parse({"mode": "image-to-audio", "image": {"job": made.id}})
    batch = new_batch(batches, tenant, 0, request)
    store.delete(made.id)
    with pytest.raises(UnknownReference):
        new_batch(batches, tenant, 0, request)
    assert redis.smembers(f"pins:job:{made.id}") == {f"batch:{batch.id}".encode()}
    feed(batches, redis)
    record = claim(store)
    assert redis.smembers(f"pins:job:{made.id}") == {record.id.encode()}
    assert record.inputs


def test_an_abandoned_draft_is_forgotten(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    before = keys(redis) | {f"rate:{tenant.name}"}
    draft = batches.begin(tenant, "key")
    add(draft, tenant, prompt(), prompt())
    assert batches.list(tenant) == []
    redis.zadd("batches", {name.removeprefix("batch:"): 1 for name in keys(redis, "batch:*")})
    feed(batches, redis)
    with pytest.raises(StoreUnavailable):
        add(draft, tenant, prompt())
    with pytest.raises(StoreUnavailable):
        draft.commit("body")
    assert keys(redis) - before <= {f"lists:{tenant.name}", "feeding"}


def test_a_draft_that_lost_requests_is_not_accepted(batches: BatchStore, tenant: Tenant, redis: Redis) -> None:
    draft = batches.begin(tenant, None)
    add(draft, tenant, prompt(), prompt())
    (lines,) = keys(redis, "batch_lines:*")
    redis.rpop(lines)  # as by a failover to a replica that lagged
    with pytest.raises(StoreUnavailable):
        draft.commit("body")


def test_what_ran_after_a_backup_runs_again(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch = new_batch(batches, tenant, OPEN + 2)
    feed(batches, redis)
    run(store)

    def go_on() -> None:
        for _ in range(OPEN + 1):
            run(store)
            feed(batches, redis)

    restore(redis, go_on)
    assert batches.get(batch.id).counts == BatchCounts(2, OPEN - 1, 0, 1, 0, 0)
    go_on()
    assert batches.get(batch.id).status is BatchStatus.COMPLETED
    assert [item.status for item in batches.results(batch.id)] == ["succeeded"] * (OPEN + 2)


def test_a_draft_is_nobodys_batch(batches: BatchStore, tenant: Tenant, redis: Redis) -> None:
    batches.begin(tenant, None)
    (batch_id,) = (name.removeprefix("batch:") for name in keys(redis, "batch:*"))
    for act in (batches.get, batches.cancel, batches.delete):
        with pytest.raises(NotFound):
            act(batch_id)


def test_two_bodies_under_one_key_at_once_are_one_batch(batches: BatchStore, tenant: Tenant, redis: Redis) -> None:
    first, second = batches.begin(tenant, "key"), batches.begin(tenant, "key")
    add(first, tenant, prompt())
    add(second, tenant, prompt())
    batch_id, replayed = first.commit("body")
    assert not replayed
    assert first.commit("body") == (batch_id, False)  # the reply was lost
    assert second.commit("body") == (batch_id, True)
    assert keys(redis, "batch:*") == {f"batch:{batch_id}"}


def test_a_batch_expires_with_its_results(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch = new_batch(batches, tenant, 2)
    feed(batches, redis)
    run(store)
    run(store)
    assert redis.zscore("batches", batch.id) == pytest.approx(batch.created_at + store.settings.result_ttl_s, abs=5)
    redis.zadd("batches", {batch.id: 1})
    redis.delete("feeding")
    batches.feed()
    with pytest.raises(Gone):
        batches.get(batch.id)
    assert keys(redis, "batch*") == set()
    assert in_hash(redis, f"kept:{tenant.name}", "jobs") == 2


def test_a_deleted_batch_leaves_nothing(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch = new_batch(batches, tenant, 12)
    feed(batches, redis)
    run(store)
    running = claim(store)
    batches.delete(batch.id)
    assert store.heartbeat("w1", {running.id: running.token}) == {running.id}
    with pytest.raises(Gone):
        batches.get(batch.id)
    feed(batches, redis)
    feed(batches, redis)
    left = keys(redis, "batch*") | keys(redis, "job:*") | keys(redis, "kept:*") | keys(redis, "fed:*")
    assert left == set()
    assert in_hash(redis, "model:tiny", "held") == 0
