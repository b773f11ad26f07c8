"""Jobs that are canceled if they haven't ended in time."""

import time

from redis import Redis

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from tests.jobs.conftest import by, claim, lose, prompt, success

SOON_S = 0.3


def accept(store: JobStore) -> JobRecord:
    return store.accept([Submission(prompt(), by("alice"), cancel_after_s=SOON_S)]).records[0]


def reap_in_time(store: JobStore) -> None:
    store.reap()
    time.sleep(SOON_S)
    store.reap()


def test_a_waiting_job_is_canceled(store: JobStore, redis: Redis) -> None:
    job = accept(store)
    store.reap()
    assert store.get(job.id).status is JobStatus.QUEUED
    reap_in_time(store)
    assert store.get(job.id).status is JobStatus.CANCELED
    assert redis.zcard("due") == 0


def test_a_running_job_is_canceled_and_lost_to_its_worker(store: JobStore) -> None:
    job = accept(store)
    record = claim(store)
    assert store.heartbeat("w1", {record.id: record.token}) == set()
    assert store.progress(record.id, record.token, 1, 20)
    reap_in_time(store)
    assert store.get(job.id).status is JobStatus.CANCELED
    assert store.heartbeat("w1", {record.id: record.token}) == {record.id}
    assert not store.finish(record.id, record.token, success(record))


def test_so_is_one_that_waits_again(store: JobStore, redis: Redis) -> None:
    job = accept(store)
    lose(redis, claim(store))
    store.reap()
    assert store.get(job.id).status is JobStatus.QUEUED
    reap_in_time(store)
    assert store.get(job.id).status is JobStatus.CANCELED


def test_one_that_has_ended_stays_as_it_is(store: JobStore) -> None:
    job = accept(store)
    record = claim(store)
    assert store.finish(record.id, record.token, success(record))
    reap_in_time(store)
    assert store.get(job.id).status is JobStatus.SUCCEEDED
