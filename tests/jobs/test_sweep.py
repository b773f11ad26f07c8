"""The sweep: no file outlives what it is for, and none is deleted before."""

import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Gone, StorageUnavailable
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.requests import parse
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import by, claim, expire, keys, lose, run, store_files, submit, success, sweep_now, to_sweep


def succeed(store: JobStore, files: Storage) -> JobRecord:
    submit(store)
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    return store.get(record.id)


def test_results_stay_until_they_expire_and_are_gone_then(
    store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int]
) -> None:
    record = succeed(store, files)
    assert sweep() == 0
    sweep_now(redis, record)
    assert sweep() == 1
    assert len(list(files.list("results/"))) == 2
    assert store.get(record.id) == record
    assert redis.zscore("sweep_at", f"job:{record.id}") == pytest.approx(time.time() + 86_400, abs=60)
    expire(redis, record)
    assert sweep() == 1
    assert list(files.list("results/")) == []
    with pytest.raises(Gone):
        store.get(record.id)
    assert keys(redis, "job:*") | keys(redis, "of:*") | keys(redis, "sweep_at") == set()


def test_expiry_is_due_when_the_settings_say(store: JobStore, redis: Redis, settings: Settings) -> None:
    submit(store)
    record = run(store)
    assert record.completed_at is not None
    due = redis.zscore("sweep_at", f"job:{record.id}")
    assert due == pytest.approx(record.completed_at + settings.result_ttl_s, abs=1)


def test_files_of_lost_attempts_go_and_those_of_the_winner_stay(
    store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int], settings: Settings
) -> None:
    submit(store)
    loser = claim(store, "w1")
    store_files(files, loser)
    lose(redis, loser)
    store.reap()
    winner = claim(store, "w2")
    store_files(files, winner)
    store.finish(winner.id, winner.token, success(winner))
    done = store.get(winner.id)
    assert done.completed_at is not None
    due = redis.zscore("sweep_at", f"job:{winner.id}")
    assert due == pytest.approx(done.completed_at + 2 * settings.lease_s, abs=1)
    sweep_now(redis, winner)
    sweep()
    assert {key.rpartition("/")[0] + "/" for key in files.list("results/")} == {winner.folder}
    store_files(files, loser)  # a straggler
    expire(redis, winner)
    sweep()
    assert list(files.list("results/")) == []


@pytest.mark.parametrize("end", ["cancel", "delete", "fail"])
def test_a_job_that_did_not_succeed_leaves_no_files(
    store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int], end: str
) -> None:
    submit(store)
    record = claim(store)
    store_files(files, record)
    match end:
        case "cancel":
            store.cancel(record.id)
        case "delete":
            store.delete(record.id)
        case "fail":
            redis.hset(f"job:{record.id}", "attempts", "3")
            lose(redis, record)
            store.reap()
            assert store.get(record.id).status is JobStatus.FAILED
    sweep_now(redis, record)
    sweep()
    assert list(files.list("results/")) == []


def test_deleting_a_result_deletes_its_files_at_once(store: JobStore, files: Storage, sweep: Callable[[], int]) -> None:
    record = succeed(store, files)
    store.delete(record.id)
    assert sweep() == 1
    assert list(files.list("results/")) == []


def test_results_that_a_waiting_job_takes_in_are_kept(
    store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int]
) -> None:
    earlier = succeed(store, files)
    store.accept([Submission(parse({"mode": "riff", "prompt": "x", "init": {"job": earlier.id}}), by("alice"))])
    store.delete(earlier.id)
    assert sweep() == 0
    later = claim(store)
    assert files.get(later.inputs["init"]) == b"x"
    store.finish(later.id, later.token, success(later))
    sweep_now(redis, earlier)
    assert sweep() == 1
    assert list(files.list(earlier.folder)) == []


def test_what_a_process_of_version_1_deletes_goes_too(
    store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int]
) -> None:
    """It has the job's id alone, and would search where there are no files."""
    deleted, forgotten = succeed(store, files), succeed(store, files)
    for record in (deleted, forgotten):
        redis.delete(f"job:{record.id}")
    redis.zadd("sweep", {f"job:{deleted.id}": 1})
    sweep_now(redis, forgotten)  # whose entry it has even done away with: there is one since the claim
    sweep()
    assert list(files.list("results/")) == []
    assert keys(redis, "sweep*") | keys(redis, "folders:*") == set()


def test_files_that_cannot_be_deleted_come_up_again(
    store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = succeed(store, files)
    store.delete(record.id)

    def refuse(_: object) -> None:
        raise StorageUnavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(files, "delete", refuse)
        with pytest.raises(StorageUnavailable):
            sweep()
    assert sweep() == 0  # not at once: that storage has just refused
    assert redis.zscore("sweep_at", f"job:{record.id}") is not None
    sweep_now(redis, record)
    assert sweep() == 1
    assert list(files.list("results/")) == []
    assert to_sweep(redis) == set()
