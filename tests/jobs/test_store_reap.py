"""Reaping: jobs of lost workers are requeued, those past a deadline ended."""

import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from tests.jobs.conftest import MODEL, at_once, by, claim, keys, lose, outwait, overrun, run, stall, submit, success


def die(store: JobStore, redis: Redis, *records: JobRecord) -> None:
    """The worker of these jobs is dead, and its leases are over."""
    for record in records:
        lose(redis, record)
    store.reap()


def test_a_lease_lasts_as_long_as_it_says(configured: Callable[..., JobStore]) -> None:
    store = configured(lease_s=0.5)
    submit(store)
    record = claim(store)
    store.reap()
    assert store.get(record.id).status is JobStatus.RUNNING
    time.sleep(0.6)
    store.reap()
    waiting = store.get(record.id)
    assert (waiting.status, waiting.attempts, waiting.worker, waiting.started_at) == (JobStatus.QUEUED, 1, None, None)


def test_a_job_is_given_up_after_its_attempts(store: JobStore, redis: Redis) -> None:
    job = submit(store)
    for attempt in (1, 2, 3):
        record = claim(store)
        assert record.attempts == attempt
        die(store, redis, record)
    failed = store.get(job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    assert "3 times" in failed.error.detail
    assert failed.token > record.token
    assert store.claim(MODEL, "w1", "nonce") is None


def test_many_reapers_do_it_once(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    lose(redis, record)
    at_once(lambda _: store.reap())
    waiting = store.get(record.id)
    assert waiting.status is JobStatus.QUEUED
    assert waiting.revision == record.revision + 1
    assert store.models.loads()[MODEL].waiting == 1


@pytest.mark.parametrize("deadline", [overrun, stall, outwait])
def test_past_a_deadline_a_job_fails(
    store: JobStore, redis: Redis, deadline: Callable[[Redis, JobRecord], None]
) -> None:
    record = submit(store)
    if deadline is not outwait:
        record = claim(store)
    deadline(redis, record)
    store.reap()
    failed = store.get(record.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "deadline_exceeded"
    assert not store.finish(record.id, record.token, success(record))
    assert store.claim(MODEL, "w1", "nonce") is None
    assert redis.exists("due") == 0


def test_heartbeats_do_not_hide_that_a_job_hangs(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    stall(redis, record)
    assert store.heartbeat("w1", {record.id: record.token}) == set()
    store.reap()
    assert store.get(record.id).status is JobStatus.FAILED


def test_a_worker_lost_before_a_deadline_came_is_no_fault_of_the_jobs(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    stall(redis, record)
    overrun(redis, record)
    lose(redis, record)
    store.reap()
    assert store.get(record.id).status is JobStatus.QUEUED


def test_progress_moves_the_deadline_for_progress(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    stall(redis, record)
    assert store.progress(record.id, record.token, 1, 20)
    store.reap()
    assert store.get(record.id).status is JobStatus.RUNNING


def test_after_a_gap_leases_are_extended_first(configured: Callable[..., JobStore], redis: Redis) -> None:
    store = configured(lease_s=0.5)
    alive, dead = submit(store), submit(store)
    held = {record.id: record.token for record in (claim(store), claim(store))}
    store.reap()
    redis.set("reaped_at", str(time.time() - 10))  # Redis was away
    time.sleep(0.6)
    store.reap()
    assert {store.get(job_id).status for job_id in held} == {JobStatus.RUNNING}
    time.sleep(0.3)
    assert store.heartbeat("w1", {alive.id: held[alive.id]}) == set()
    time.sleep(0.3)
    store.reap()
    assert store.get(alive.id).status is JobStatus.RUNNING
    assert store.get(dead.id).status is JobStatus.QUEUED


def suspect(store: JobStore, redis: Redis) -> JobRecord:
    """A job that two workers died under; nothing else may wait."""
    job = submit(store)
    for _ in range(2):
        die(store, redis, claim(store, "dead"))
    return store.get(job.id)


class TestSolo:
    """A job that two workers died under runs alone, so that it takes no other along."""

    def test_it_says_so(self, store: JobStore, redis: Redis) -> None:
        submit(store)
        first = claim(store, "dead")
        assert not first.solo
        die(store, redis, first)
        second = claim(store, "dead")
        assert not second.solo
        die(store, redis, second)
        assert claim(store, "w1").solo

    def test_the_last_attempt_is_alone_at_the_latest(self, configured: Callable[..., JobStore], redis: Redis) -> None:
        store = configured(max_attempts=2)
        submit(store)
        die(store, redis, claim(store, "dead"))
        assert claim(store, "w1").solo

    def test_its_worker_gets_no_other_meanwhile(self, store: JobStore, redis: Redis) -> None:
        lonely, other = suspect(store, redis), submit(store)
        record = claim(store, "w1")
        assert record.id == lonely.id
        assert store.claim(MODEL, "w1", "another") is None
        assert claim(store, "w2").id == other.id
        store.finish(record.id, record.token, success(record))
        submit(store)
        assert store.claim(MODEL, "w1", "another") is not None

    def test_a_busy_worker_becomes_empty_first_while_others_go_on(self, store: JobStore, redis: Redis) -> None:
        store.models.register("w1", MODEL, 8)
        submit(store)
        first = claim(store, "w1")
        submit(store)
        claim(store, "w2")
        lonely, behind = suspect(store, redis), submit(store)
        assert store.claim(MODEL, "w1", "empties itself") is None
        assert claim(store, "w2").id == behind.id
        store.finish(first.id, first.token, success(first))
        assert claim(store, "w1").id == lonely.id

    def test_a_worker_that_died_while_emptying_itself_holds_nothing_up(self, store: JobStore, redis: Redis) -> None:
        store.models.register("w1", MODEL, 8)
        for worker in ("w1", "w2"):
            submit(store)
            busy = claim(store, worker)
        lonely = suspect(store, redis)
        assert store.claim(MODEL, "w1", "empties itself") is None
        store.models.unregister("w1")
        submit(store)
        assert store.claim(MODEL, "w2", "empties itself instead") is None
        store.finish(busy.id, busy.token, success(busy))
        assert claim(store, "w2").id == lonely.id

    def test_a_poison_job_takes_no_other_along(self, store: JobStore, redis: Redis) -> None:
        jobs = [submit(store, text=f"{n}") for n in range(4)]
        poison = jobs[1].id
        for generation in range(20):
            worker = f"w{generation}"
            held: list[JobRecord] = []
            while record := store.claim(MODEL, worker, f"{generation}-{len(held)}"):
                held.append(record)
            if any(record.id == poison for record in held):
                die(store, redis, *held)
            for record in held:
                store.finish(record.id, record.token, success(record))
        assert [store.get(job.id).status for job in jobs] == ["succeeded", "failed", "succeeded", "succeeded"]
        assert store.get(poison).attempts == 3


class TestWakeUps:
    def test_the_broker_is_kept_at_waiting_jobs_up_to_slots(self, store: JobStore, redis: Redis) -> None:
        for _ in range(5):
            submit(store)
        assert store.reap() == {MODEL: 1}  # no worker: one is enough to find the first worker
        redis.delete(f"waking:{MODEL}")
        store.models.register("w1", MODEL, 3)
        assert store.reap() == {MODEL: 3}
        redis.delete(f"waking:{MODEL}")
        redis.rpush(f"riffusion.{MODEL}", "message")
        assert store.reap() == {MODEL: 2}
        redis.delete(f"waking:{MODEL}")
        redis.rpush(f"riffusion.{MODEL}", "message", "message")
        assert store.reap() == {}

    def test_one_of_many_reapers_publishes(self, store: JobStore) -> None:
        submit(store)
        assert sorted(map(len, at_once(lambda _: store.reap(), threads=8))) == [0] * 7 + [1]

    def test_nothing_waits_nothing_is_published(self, store: JobStore) -> None:
        store.models.register("w1", MODEL, 3)
        submit(store)
        run(store)
        assert store.reap() == {}


def test_records_deleted_by_hand_do_no_harm(store: JobStore, redis: Redis) -> None:
    for _ in range(3):
        submit(store)
    broken, fine = claim(store), claim(store)
    (waiting,) = store.list(by("alice"), JobStatus.QUEUED).records
    redis.delete(f"job:{broken.id}", f"job:{waiting.id}")
    redis.zadd("due", {broken.id: 1})
    die(store, redis, fine)
    assert claim(store).id == fine.id
    assert store.claim(MODEL, "w1", "nonce") is None
    assert [record.id for record in store.list(by("alice")).records] == [fine.id]
    assert keys(redis, "waiting:*") == set()
