"""Requeueing failed jobs: the same job once more, with a new deadline, whatever happens at the same time."""

import io
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from redis import Redis

from riffusion.errors import Conflict, Gone, NotFound, QueueFull, StoreUnavailable
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.events import CHANNEL
from riffusion.jobs.record import Failure, JobRecord, JobStatus
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import UploadInfo, UploadStore
from riffusion.requests import parse
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import (
    MODEL,
    at_once,
    by,
    claim,
    expire,
    keys,
    lose,
    outwait,
    run,
    store_files,
    submit,
    success,
    sweep_now,
)

BROKEN = Failure("out_of_memory", "It doesn't fit.")


@pytest.fixture
def requeue(redis: Redis, settings: Settings) -> Requeue:
    return Requeue(redis, settings)


def fail(store: JobStore, failure: Failure = BROKEN) -> JobRecord:
    """The next job, failed by its only attempt."""
    record = claim(store)
    assert store.finish(record.id, record.token, failure)
    return store.get(record.id)


def lose_worker(store: JobStore, redis: Redis, times: int = 3) -> JobRecord:
    """The next job, whose worker was lost as often."""
    for _ in range(times):
        record = claim(store)
        lose(redis, record)
        store.reap()
    return store.get(record.id)


def test_a_failed_job_waits_again_as_the_same_job(store: JobStore, requeue: Requeue) -> None:
    accepted = submit(store)
    failed = fail(store)
    requeue.requeue(failed.id)
    waiting = store.get(failed.id)
    assert waiting.status is JobStatus.QUEUED
    assert (waiting.id, waiting.request, waiting.created_at) == (accepted.id, accepted.request, accepted.created_at)
    assert (waiting.error, waiting.completed_at, waiting.started_at, waiting.worker) == (None, None, None, None)
    assert waiting.revision > failed.revision
    assert waiting.token > failed.token
    assert waiting.requeues == 1
    done = run(store)
    assert (done.id, done.status, done.attempts) == (failed.id, JobStatus.SUCCEEDED, 2)
    (past,) = done.past_attempts
    assert (past.reason, past.worker, past.ended_at) == ("out_of_memory", "w1", failed.completed_at)
    assert past.requeued_at is not None


def test_it_has_as_many_attempts_as_any_other_again(store: JobStore, redis: Redis, requeue: Requeue) -> None:
    submit(store)
    failed = lose_worker(store, redis)
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    requeue.requeue(failed.id)
    for attempts in (4, 5):
        waiting = lose_worker(store, redis, times=1)
        assert (waiting.status, waiting.attempts) == (JobStatus.QUEUED, attempts)
        assert waiting.solo  # what has killed workers before stays alone
    assert lose_worker(store, redis, times=1).status is JobStatus.FAILED


def test_it_has_a_new_deadline(configured: Callable[..., JobStore], redis: Redis, requeue: Requeue) -> None:
    store = configured()
    record = submit(store)
    outwait(redis, record)
    store.reap()
    assert store.get(record.id).error == Failure("deadline_exceeded", "The job waited longer than its deadline allows.")
    requeue.requeue(record.id)
    store.reap()
    assert store.get(record.id).status is JobStatus.QUEUED
    (past,) = store.get(record.id).past_attempts
    assert (past.reason, past.started_at, past.worker) == ("deadline_exceeded", None, None)


def test_it_waits_at_its_clients_turn(store: JobStore, requeue: Requeue) -> None:
    submit(store, "alice")
    failed = fail(store)
    mine, other = submit(store, "alice"), submit(store, "bob")
    requeue.requeue(failed.id)
    assert [run(store).id for _ in range(3)] == [other.id, mine.id, failed.id]


def test_nothing_is_left_of_it_afterwards(store: JobStore, redis: Redis, requeue: Requeue) -> None:
    submit(store)
    requeue.requeue(fail(store).id)
    assert redis.smembers("active:alice")
    run(store)
    assert not keys(redis, "active:*") | keys(redis, "held:*") | keys(redis, "places:*") | keys(redis, "waiting:*")
    assert redis.exists("due") == 0
    assert store.models.loads()[MODEL].running == 0


def test_followers_are_woken(store: JobStore, redis: Redis, requeue: Requeue) -> None:
    submit(store)
    failed = fail(store)
    with redis.pubsub() as subscriber:  # type: ignore[no-untyped-call]
        subscriber.subscribe(CHANNEL)
        assert subscriber.get_message(timeout=5)
        requeue.requeue(failed.id)
        message = subscriber.get_message(timeout=5)
    assert message is not None
    assert message["data"].decode() == f"{failed.id} {store.get(failed.id).revision}"


def test_the_attempt_that_failed_cannot_end_it_again(store: JobStore, requeue: Requeue) -> None:
    submit(store)
    failed = fail(store)
    requeue.requeue(failed.id)
    assert not store.finish(failed.id, failed.token, BROKEN)
    later = claim(store)
    assert not store.finish(failed.id, failed.token, BROKEN)
    assert store.heartbeat("w1", {failed.id: failed.token}) == {failed.id}
    assert store.finish(later.id, later.token, success(later))


def test_files_of_earlier_attempts_are_deleted_and_those_of_the_last_kept(
    store: JobStore, redis: Redis, files: Storage, requeue: Requeue, sweep: Callable[[], int]
) -> None:
    submit(store)
    first = claim(store)
    store_files(files, first)
    store.finish(first.id, first.token, BROKEN)
    requeue.requeue(first.id)
    second = claim(store)
    store_files(files, second)
    sweep_now(redis, second)
    sweep()
    assert {key.rpartition("/")[0] + "/" for key in files.list("results/")} == {second.folder}
    store.finish(second.id, second.token, success(second))
    sweep_now(redis, second)
    sweep()
    assert len(list(files.list("results/"))) == 2


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.CANCELED])
def test_what_is_not_dead_is_refused(store: JobStore, requeue: Requeue, status: JobStatus) -> None:
    record = submit(store)
    if status is JobStatus.CANCELED:
        store.cancel(record.id)
    elif status is JobStatus.RUNNING:
        claim(store)
    elif status is JobStatus.SUCCEEDED:
        run(store)
    before = store.get(record.id)
    with pytest.raises(Conflict, match=status):
        requeue.requeue(record.id)
    assert store.get(record.id) == before


def test_what_is_gone_is_refused(store: JobStore, redis: Redis, requeue: Requeue, sweep: Callable[[], int]) -> None:
    submit(store)
    submit(store)
    deleted, expired = fail(store), fail(store)
    store.delete(deleted.id)
    expire(redis, expired)
    sweep()
    for record in (deleted, expired):
        with pytest.raises(Gone):
            requeue.requeue(record.id)
    with pytest.raises(NotFound):
        requeue.requeue("0123")
    assert store.claim(MODEL, "w", "n") is None


def test_a_check_changes_nothing(store: JobStore, requeue: Requeue) -> None:
    submit(store)
    failed = fail(store)
    requeue.check(failed.id)
    assert store.get(failed.id) == failed
    requeue.requeue(failed.id)
    with pytest.raises(Conflict):
        requeue.check(failed.id)


def test_its_files_are_needed_again(
    store: JobStore, redis: Redis, files: Storage, requeue: Requeue, sweep: Callable[[], int]
) -> None:
    uploads = UploadStore(redis, files, store.settings)
    upload = uploads.add(by("alice"), io.BytesIO(b"x"), UploadInfo("image", "image/png", width=512, height=512))
    riff = Submission(parse({"mode": "riff", "prompt": "x", "init": {"upload": upload.id}}), by("alice"))
    store.accept([riff])
    failed = fail(store)
    requeue.requeue(failed.id)
    redis.zadd("sweep_at", {f"upload:{upload.id}": 1})
    sweep()
    assert files.get(upload.key) == b"x"
    fail(store)
    redis.zadd("sweep_at", {f"upload:{upload.id}": 1})
    sweep()
    with pytest.raises(Conflict, match=f"upload {upload.id}"):
        requeue.requeue(failed.id)


def test_a_copys_origin_may_be_deleted_while_the_copy_keeps_its_files(
    store: JobStore, redis: Redis, requeue: Requeue, sweep: Callable[[], int]
) -> None:
    submit(store, seed=1)
    origin = run(store)
    copied = submit(store, seed=1)
    assert copied.status is JobStatus.SUCCEEDED
    store.accept([Submission(parse({"mode": "riff", "prompt": "x", "init": {"job": copied.id}}), by("alice"))])
    failed = fail(store)
    store.delete(origin.id)
    sweep_now(redis, origin)
    sweep()
    requeue.check(failed.id)
    store.delete(copied.id)
    with pytest.raises(Conflict, match="no longer kept"):
        requeue.requeue(failed.id)


def test_limits_of_the_server_hold_and_those_of_the_client_do_not(
    configured: Callable[..., JobStore], redis: Redis, settings: Settings
) -> None:
    store = configured(max_queued=2)
    tight = Requeue(redis, store.settings)
    submit(store, "key:a")
    submit(store, "key:b")
    first, second = fail(store), fail(store)
    submit(store, "key:c")
    tight.requeue(first.id)
    with pytest.raises(QueueFull):
        tight.requeue(second.id)
    redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable):
            Requeue(redis, settings).requeue(second.id)
    finally:
        redis.config_set("maxmemory", 0)
    assert store.get(second.id).status is JobStatus.FAILED


def test_many_operators_requeue_it_once(store: JobStore, redis: Redis, requeue: Requeue) -> None:
    submit(store)
    failed = fail(store)

    def attempt(_: int) -> bool:
        try:
            requeue.requeue(failed.id)
        except Conflict:
            return False
        return True

    assert sum(at_once(attempt)) == 1
    assert store.get(failed.id).revision == failed.revision + 1
    assert store.models.loads()[MODEL].waiting == 1


def test_reapers_and_operators_at_once_leave_one_job(store: JobStore, redis: Redis, requeue: Requeue) -> None:
    submit(store)
    record = lose_worker(store, redis, times=2)
    record = claim(store)
    lose(redis, record)

    requeued = threading.Event()

    def reap_or_requeue(index: int) -> bool:
        if index % 2:
            store.reap()
            return False
        while not requeued.is_set():
            with suppress(Conflict):
                requeue.requeue(record.id)
                requeued.set()
                return True
        return False

    assert sum(at_once(reap_or_requeue)) == 1
    waiting = store.get(record.id)
    assert (waiting.status, waiting.requeues) == (JobStatus.QUEUED, 1)
    assert redis.zcard("due") == 1
    assert run(store).status is JobStatus.SUCCEEDED
