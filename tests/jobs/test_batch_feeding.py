"""Which requests of batches become jobs when, and which wait."""

import json

import pytest
from redis import Redis

from riffusion.errors import Blocked
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.clients import ClientDirectory
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.models import ModelState
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Quota, Tenant, key_of
from tests.jobs.batch_helpers import OPEN, add, feed, new_batch
from tests.jobs.conftest import new_key, prompt, run, submit


def test_one_process_feeds_at_a_time(batches: BatchStore, redis: Redis, tenant: Tenant, store: JobStore) -> None:
    batch = new_batch(batches, tenant, 12)
    feed(batches, redis)
    run(store)
    assert batches.feed() == {}
    assert batches.get(batch.id).counts.queued == OPEN - 1


def test_the_clients_own_jobs_go_before_its_batch(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    new_batch(batches, tenant, 20)
    feed(batches, redis)
    run(store)
    mine = submit(store, client=tenant.name)
    assert mine.id in [run(store).id for _ in range(2)]


def test_batches_and_jobs_of_a_client_share_its_share(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    for _ in range(3):
        new_batch(batches, tenant, 60)
    started = []
    for _ in range(60):  # both always have a job that waits
        submit(store, client="other")
        if not [job for job in store.list(tenant).records if job.status == "queued" and not job.batch]:
            submit(store, client=tenant.name)
        feed(batches, redis)
        started.append(run(store))
    mine = [job for job in started if job.tenant == tenant.name]
    assert len(mine) == pytest.approx(30, abs=4)
    assert len([job for job in mine if job.batch]) >= 10


def test_batches_of_a_client_take_turns(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    ids = [new_batch(batches, tenant, 10).id for _ in range(3)]
    started = []
    for _ in range(9):
        feed(batches, redis)
        started.append(run(store).batch)
    assert {started.count(each) for each in ids} <= {2, 3, 4}


def test_half_of_the_queue_is_for_others(store: JobStore, batches: BatchStore, redis: Redis) -> None:
    small = JobStore(redis, store.settings.model_copy(update={"max_queued": 8}))
    for _ in range(6):
        new_batch(batches, new_key(redis, store), 9)
    feed(BatchStore(small), redis)
    assert store.count_waiting("tiny") == 6  # half, and one of each that has none


def test_batches_take_half_of_the_jobs_in_flight(store: JobStore, batches: BatchStore, redis: Redis) -> None:
    tenant = new_key(redis, store, Quota(jobs_in_flight=4))
    new_batch(batches, tenant, 9)
    feed(batches, redis)
    assert store.count_waiting("tiny") == 2
    busy = new_key(redis, store, Quota(jobs_in_flight=4))
    for _ in range(3):
        submit(store, client=busy.name)
    new_batch(batches, busy, 9)
    feed(batches, redis)
    assert redis.scard(f"active:{busy.name}") == 4


@pytest.mark.parametrize("state", [ModelState.PAUSED, ModelState.DRAINING])
def test_nothing_is_fed_to_a_model_that_takes_nothing(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, state: ModelState
) -> None:
    batch = new_batch(batches, tenant)
    control = ModelControl(redis, store.settings)
    control.set_state("tiny", state)
    feed(batches, redis)
    assert batches.get(batch.id).counts.held == 3
    control.set_state("tiny", ModelState.ACTIVE)
    feed(batches, redis)
    assert batches.get(batch.id).counts.queued == 3


def test_a_blocked_clients_batch_waits(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch = new_batch(batches, tenant)
    directory = ClientDirectory(redis, store.settings)
    directory.block(tenant.name, "spam", "tests")
    feed(batches, redis)
    assert batches.get(batch.id).counts.held == 3
    directory.unblock(tenant.name)
    draft = batches.begin(tenant, None)
    directory.block(tenant.name, "spam", "tests")
    with pytest.raises(Blocked):
        add(draft, tenant, prompt())
    with pytest.raises(Blocked):
        batches.begin(tenant, None)
    assert batches.cancel(batch.id).counts.canceled == 3


def test_a_revoked_keys_batch_waits(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch = new_batch(batches, tenant)
    KeyStore(redis, store.settings).revoke(key_of(tenant.name) or "")
    feed(batches, redis)
    assert batches.get(batch.id).counts.held == 3


def test_an_expired_keys_batch_waits(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch, key_id = new_batch(batches, tenant), key_of(tenant.name) or ""
    KeyStore(redis, store.settings).expire_in(key_id, -1)
    feed(batches, redis)
    assert batches.get(batch.id).counts.held == 3
    KeyStore(redis, store.settings).expire_in(key_id, None)
    feed(batches, redis)
    assert batches.get(batch.id).counts.queued == 3


def test_a_key_of_an_earlier_version_feeds(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> None:
    batch, key_id = new_batch(batches, tenant), key_of(tenant.name) or ""
    found: bytes = redis.hget("keys", key_id)  # type: ignore[assignment]
    redis.hset("keys", key_id, json.dumps({**json.loads(found), "quota": {"creates_per_minute": 0}}))
    feed(batches, redis)
    assert batches.get(batch.id).counts.queued == 3


def test_a_batch_waits_while_its_client_keeps_as_much_as_it_may(
    store: JobStore, batches: BatchStore, redis: Redis
) -> None:
    tenant = new_key(redis, store, Quota(stored_bytes=4000))
    batch = new_batch(batches, tenant, 9)
    feed(batches, redis)
    for _ in range(OPEN):
        run(store)
    feed(batches, redis)
    assert batches.get(batch.id).counts.held == 4
