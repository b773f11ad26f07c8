"""The operators' list of all jobs, and a job's timeline."""

import time

import pytest
from redis import Redis

from riffusion.jobs.record import Failure, JobStatus
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.search import JobFilter, JobSearch
from riffusion.jobs.store import JobStore
from riffusion.jobs.timeline import timeline
from riffusion.settings import Settings
from tests.jobs.conftest import claim, keys, lose, run, submit


@pytest.fixture
def search(redis: Redis, settings: Settings) -> JobSearch:
    return JobSearch(redis, settings)


def test_jobs_are_found_newest_first_in_pages(store: JobStore, search: JobSearch) -> None:
    records = [submit(store, client) for client in ("alice", "bob", "key:1") * 3]
    expected = [record.id for record in reversed(records)]
    assert [record.id for record in search.all(JobFilter())] == expected
    first = search.page(JobFilter(), limit=4)
    assert [record.id for record in first.records] == expected[:4]
    assert [place.position for place in first.places if place] == [8, 7, 6, 5]
    second = search.page(JobFilter(), limit=100, cursor=first.cursor)
    assert [record.id for record in second.records] == expected[4:]
    assert second.cursor is None


def test_each_filter_finds_what_it_says(store: JobStore, search: JobSearch) -> None:
    one, two, other = (submit(store, client) for client in ("key:1", "key:1/ann", "key:12"))
    failed, done, waiting = claim(store), run(store), submit(store)
    store.finish(failed.id, failed.token, Failure("out_of_memory", "No."))
    for wanted, found in (
        (JobFilter(status=JobStatus.SUCCEEDED), {done.id}),
        (JobFilter(status=JobStatus.QUEUED, client="alice"), {waiting.id}),
        (JobFilter(key="1"), {one.id, two.id}),
        (JobFilter(client="key:1"), {one.id}),
        (JobFilter(client="key:1/ann"), {two.id}),
        (JobFilter(error="out_of_memory"), {failed.id}),
        (JobFilter(error="worker_lost"), set()),
        (JobFilter(model="tiny"), {one.id, two.id, other.id, waiting.id}),
        (JobFilter(model="huge"), set()),
        (JobFilter(since=two.created_at), {two.id, other.id, waiting.id}),
        (JobFilter(before=two.created_at), {one.id}),
        (JobFilter(since=one.created_at, before=other.created_at), {one.id, two.id}),
        (JobFilter(since=time.time() + 60), set()),
    ):
        assert {record.id for record in search.all(wanted)} == found, wanted


def test_a_page_reads_a_bounded_number_of_jobs(store: JobStore, search: JobSearch, redis: Redis) -> None:
    wanted = submit(store)
    redis.zadd("jobs", {f"f{number:045x}": 0 for number in range(1500)})  # all newer, and without records
    page = search.page(JobFilter(status=JobStatus.QUEUED))
    assert (page.records, page.cursor is None) == ((), False)
    assert redis.zcard("jobs") == 501  # stale entries are dropped
    assert [record.id for record in search.all(JobFilter())] == [wanted.id]


def test_long_jobs_end_a_page_early(store: JobStore, search: JobSearch) -> None:
    for number in range(200):
        submit(store, prompt=f"{number} {'word ' * 380}")
    page = search.page(JobFilter(), limit=1000)
    assert 0 < len(page.records) < 200
    assert len(list(search.all(JobFilter()))) == 200


def test_deleted_jobs_are_not_in_it(store: JobStore, search: JobSearch, redis: Redis) -> None:
    record = submit(store)
    store.delete(record.id)
    assert list(search.all(JobFilter())) == []
    assert "jobs" not in keys(redis)


def test_a_timeline_has_every_attempt(store: JobStore, redis: Redis, settings: Settings) -> None:
    record = submit(store)
    record = claim(store, "w1")
    store.progress(record.id, record.token, 7, 20)
    store.release(record.id, record.token)
    lose(redis, claim(store, "w2"))
    store.reap()
    record = claim(store, "w3")
    store.finish(record.id, record.token, Failure("out_of_memory", "It doesn't fit."))
    Requeue(redis, settings).requeue(record.id)
    done = run(store, "w4")
    steps = timeline(done, settings.result_ttl_s)
    assert [(step.event, step.detail) for step in steps[:-2]] == [
        ("accepted", "from alice"),
        ("started", "on w1"),
        ("attempt ended", "released at step 7 of 20"),
        ("started", "on w2"),
        ("attempt ended", "worker_lost"),
        ("started", "on w3"),
        ("failed", "out_of_memory"),
        ("requeued", "by an operator"),
        ("started", "on w4"),
    ]
    assert steps[-2].event == "succeeded"
    assert done.result is not None
    assert done.result.image.key in steps[-2].detail
    assert steps[-1].event == "expires"
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_releases_without_end_do_not_let_a_record_grow(store: JobStore) -> None:
    submit(store)
    for _ in range(40):
        record = claim(store)
        store.release(record.id, record.token)
    assert len(store.get(record.id).past_attempts) == 32
