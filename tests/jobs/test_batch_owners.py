"""What operators do with a client's batches: purge, leave to another key, delete, restore from a backup."""

from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound, StoreUnavailable
from riffusion.jobs.batch_record import BatchCounts
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.clients import ClientDirectory
from riffusion.jobs.key_data import KeyData, Owned
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.purge import Purge
from riffusion.jobs.reconcile import Reconciliation
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, Tenant, key_of, key_tenant
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.batch_helpers import OPEN, add, feed, in_hash, new_batch
from tests.jobs.conftest import claim, keys, new_key, prompt, run, store_files, submit, success
from tests.jobs.test_purge import everything, sweep_all_now
from tests.jobs.test_reconcile import restore


def in_all_states(store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant) -> list[str]:
    """Batches that wait, run, have ended, are canceled and are being deleted, and a draft."""
    ended = new_batch(batches, tenant, 2, key="ended")
    feed(batches, redis)
    run(store)
    run(store)
    running = new_batch(batches, tenant, 2 * OPEN, key="running")
    deleted = new_batch(batches, tenant, 2)
    feed(batches, redis)
    claim(store)
    batches.delete(deleted.id)
    canceled = new_batch(batches, tenant, 2)
    batches.cancel(canceled.id)
    add(batches.begin(tenant, None), tenant, prompt())
    return [ended.id, running.id, deleted.id, canceled.id]


def test_nothing_of_a_purged_client_is_left(
    *, store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, files: Storage, settings: Settings
) -> None:
    other = new_key(redis, store)
    kept = new_batch(batches, other, 3)
    ids = in_all_states(store, batches, redis, tenant)
    KeyStore(redis, settings).revoke(key_of(tenant.name) or "")
    purge = Purge(redis, files, settings)
    assert purge.run(tenant.name).batches == 5
    sweep_all_now(redis)
    purge.run(tenant.name)
    left = everything(redis)
    assert tenant.name not in left
    assert not [each for each in ids if each in left]
    feed(batches, redis)
    assert batches.get(kept.id).counts.canceled == 0
    assert in_hash(redis, "model:tiny", "held") == 0


def test_the_heir_owns_batches_and_their_jobs(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, settings: Settings
) -> None:
    heir = KeyStore(redis, settings).create("heir", UNLIMITED)[1]
    ended, running, _, canceled = in_all_states(store, batches, redis, tenant)
    data, old = KeyData(redis, settings), key_of(tenant.name) or ""
    KeyStore(redis, settings).revoke(old)
    feed(batches, redis)  # which deletes the jobs of the deleted one
    before = in_hash(redis, f"kept:{tenant.name}", "request_bytes")
    left = data.leave(old, heir)
    assert left.batches == 3
    mine = key_tenant(heir.id)
    assert [each.id for each in batches.list(Tenant(mine, owner=mine))] == [canceled, running, ended]
    with pytest.raises(NotFound):
        batches.get(running, tenant.name)
    assert not keys(redis, f"*:{tenant.name}") - {f"rate:{tenant.name}", f"day:{tenant.name}", f"lists:{tenant.name}"}
    assert in_hash(redis, f"kept:{mine}", "jobs") == 12
    assert in_hash(redis, f"kept:{mine}", "request_bytes") < before  # the draft is gone
    for record in [job for job in store.list(Tenant(mine, owner=mine)).records if job.status == "running"]:
        store.finish(record.id, record.token, success(record))
    open_jobs: list[bytes] = redis.zrange("fed:tiny", 0, -1)  # type: ignore[assignment]
    assert {name.decode().split()[0] for name in open_jobs} == {mine}
    while batches.get(running).completed_at is None:
        feed(batches, redis)
        run(store)
    assert batches.get(running).counts == BatchCounts(0, 0, 0, 10, 0, 0)
    assert not keys(redis, "fed:*")


def test_a_revoked_keys_batches_are_deleted(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, settings: Settings
) -> None:
    in_all_states(store, batches, redis, tenant)
    draft = batches.begin(tenant, None)
    add(draft, tenant, prompt())
    data, old = KeyData(redis, settings), key_of(tenant.name) or ""
    assert data.count(old).batches == 5
    KeyStore(redis, settings).revoke(old)
    assert data.delete(old).batches == 3
    assert data.count(old) == Owned(0, 0)
    with pytest.raises(StoreUnavailable):
        draft.commit("body")
    for _ in range(3):
        feed(batches, redis)
    assert not keys(redis, "batch*") | keys(redis, "job:*") | keys(redis, f"kept:{tenant.name}")


def test_a_batch_that_was_deleted_is_deleted_again_after_a_restore(
    *, store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, files: Storage, settings: Settings
) -> None:
    batch = new_batch(batches, tenant, 9)
    feed(batches, redis)
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    sweep = Purge(redis, files, settings)._sweep

    def delete() -> None:
        batches.delete(batch.id)
        feed(batches, redis)
        sweep.run()

    restore(redis, delete)
    assert batches.get(batch.id).counts.succeeded == 1
    report = Reconciliation(redis, files, settings, min_age_s=600).run(erase_again=True)
    assert f"batch {batch.id}" in report.returned.examples
    with pytest.raises(Gone):
        batches.get(batch.id)
    feed(batches, redis)
    assert not keys(redis, "job:*") | keys(redis, "batch*")


def test_a_purge_is_repeated_after_a_restore(
    *, store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, files: Storage, settings: Settings
) -> None:
    batch = new_batch(batches, tenant, 2)
    restore(redis, lambda: Purge(redis, files, settings).run(tenant.name))
    assert batches.get(batch.id)
    Reconciliation(redis, files, settings, min_age_s=600).run(erase_again=True)
    assert not keys(redis, "batch*")


def test_an_operator_sees_what_a_client_has_in_batches(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant
) -> None:
    in_all_states(store, batches, redis, tenant)
    view = ClientDirectory(redis, store.settings).show(tenant.name)
    assert (view.batches, view.held) == (4, 8)
    assert view.request_bytes == in_hash(redis, f"kept:{tenant.name}", "request_bytes")


def test_end_users_batches_are_their_own(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, settings: Settings
) -> None:
    ann, bob = (Tenant(f"{tenant.name}/{name}", owner=f"{tenant.name}/{name}") for name in ("ann", "bob"))
    batch = new_batch(batches, ann, 2)
    new_batch(batches, bob, 2)
    assert [each.id for each in batches.list(ann)] == [batch.id]
    feed(batches, redis)
    assert {run(store).tenant for _ in range(2)} == {ann.name, bob.name}
    assert KeyData(redis, settings).count(key_of(tenant.name) or "").batches == 2


def test_what_is_submitted_beside_is_left_alone(
    store: JobStore, batches: BatchStore, redis: Redis, tenant: Tenant, sweep: Callable[[], int]
) -> None:
    mine = submit(store, client=tenant.name)
    batch = new_batch(batches, tenant, 2)
    feed(batches, redis)
    batches.delete(batch.id)
    feed(batches, redis)
    assert [record.id for record in store.list(tenant).records] == [mine.id]
