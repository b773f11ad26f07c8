"""Cancel and delete, and the errors for deleted jobs."""

import time
from collections.abc import Callable
from functools import partial

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from tests.jobs.conftest import MODEL, at_once, by, claim, keys, run, submit, success


def test_a_waiting_job_is_canceled(store: JobStore) -> None:
    record = store.cancel(submit(store).id)
    assert record.status is JobStatus.CANCELED
    assert record.completed_at is not None
    assert store.claim(MODEL, "w1", "nonce") is None


def test_a_running_job_is_canceled_and_fenced_off(store: JobStore) -> None:
    submit(store)
    running = claim(store)
    record = store.cancel(running.id)
    assert record.status is JobStatus.CANCELED
    assert record.token > running.token
    assert not store.progress(running.id, running.token, 1, 20)
    assert not store.finish(running.id, running.token, success(running))
    assert store.get(running.id) == record


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.CANCELED])
def test_canceling_what_has_ended_changes_nothing(store: JobStore, status: JobStatus) -> None:
    record = submit(store)
    record = run(store) if status is JobStatus.SUCCEEDED else store.cancel(record.id)
    assert store.cancel(record.id) == record


def test_a_job_is_claimed_or_canceled_whichever_comes_first(store: JobStore) -> None:
    for n in range(20):
        queued = submit(store)
        moves: list[Callable[[], JobRecord | None]] = [
            partial(store.claim, MODEL, "w1", f"nonce{n}"),
            partial(store.cancel, queued.id),
        ]
        claimed, canceled = at_once(lambda thread: moves[thread](), threads=2)  # noqa: B023 - called before the next
        assert canceled is not None
        assert canceled.status is JobStatus.CANCELED
        assert canceled.attempts == (0 if claimed is None else 1)
        assert store.heartbeat("w1", {queued.id: 1}) == {queued.id}
    assert store.models.loads()[MODEL].running == 0
    assert store.models.loads()[MODEL].waiting == 0


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED])
def test_a_deleted_job_is_gone(store: JobStore, status: JobStatus) -> None:
    record = submit(store)
    if status is JobStatus.RUNNING:
        claim(store)
    elif status is JobStatus.SUCCEEDED:
        run(store)
    store.delete(record.id)
    for call in (store.get, store.cancel, store.delete):
        with pytest.raises(Gone):
            call(record.id)
    assert store.list(by("alice")).records == ()
    assert store.claim(MODEL, "w1", "nonce") is None


def test_a_tombstone_does_not_last_for_ever(store: JobStore, redis: Redis) -> None:
    store.delete(submit(store).id)
    (tombstone,) = keys(redis, "gone:*")
    assert redis.expiretime(tombstone) == pytest.approx(time.time() + 7 * 86_400, abs=60)


def test_a_job_that_never_was_is_not_found(store: JobStore) -> None:
    for call in (store.get, store.cancel, store.delete):
        with pytest.raises(NotFound):
            call("0" * 44)
