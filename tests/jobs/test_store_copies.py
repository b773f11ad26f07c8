"""A repeated request gets a job of its own with the earlier result, while that is kept."""

import hashlib
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant
from riffusion.requests import ModelCard, parse
from riffusion.storage import Storage
from tests.jobs.conftest import (
    MODEL,
    accept,
    by,
    claim,
    expire,
    keys,
    prompt,
    run,
    store_files,
    submit,
    success,
    sweep_now,
    to_sweep,
)


def make(store: JobStore, files: Storage) -> JobRecord:
    """A job that ran and stored its files."""
    submit(store, seed=7)
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    return store.get(record.id)


def is_there(files: Storage, record: JobRecord) -> bool:
    assert record.result is not None
    try:
        return bool(files.get(record.result.image.key) and files.get(record.result.audio.key))
    except NotFound:
        return False


def test_guidance_and_loras_distinguish_requests(store: JobStore) -> None:
    store.models.register("w", MODEL, 1, ModelCard(guidance=4.0))
    submit(store, seed=7, lora={"dub": 1, "choir": 0.5})
    run(store)
    for change, same in (
        ({"lora": {"choir": 0.5, "dub": 1}, "guidance": 4}, True),
        ({"lora": {"choir": 0.5, "dub": 1}}, True),
        ({"lora": {"choir": 0.5, "dub": 1}, "guidance": 7}, False),
        ({"lora": {"choir": 0.5}}, False),
        ({}, False),
    ):
        record = store.accept([Submission(prompt(seed=7, **change), by("alice"))]).records[0]
        assert (record.status is JobStatus.SUCCEEDED) is same, change


def test_the_same_request_is_a_job_of_its_own_that_has_succeeded(store: JobStore) -> None:
    submit(store, seed=7)
    made = run(store)
    accepted = store.accept([Submission(prompt(seed=7), by("alice"))])
    copy = accepted.records[0]
    assert copy.id != made.id
    assert (copy.status, copy.attempts, copy.started_at) == (JobStatus.SUCCEEDED, 0, None)
    assert (copy.result, copy.warnings, copy.request) == (made.result, made.warnings, made.request)
    assert copy.completed_at == copy.created_at
    assert accepted.wakeups == {}
    assert store.get(copy.id) == copy
    assert [record.id for record in store.list(by("alice")).records] == [copy.id, made.id]
    assert store.claim(MODEL, "w1", "nonce") is None


def test_a_seed_that_was_drawn_can_be_asked_for(store: JobStore) -> None:
    submit(store)
    made = run(store)
    again = store.accept([Submission(parse(made.request), by("alice"))]).records[0]
    assert again.result == made.result


def test_a_crossfade_is_served_as_a_copy_too(store: JobStore) -> None:
    start = {"init": {"seed_image": "drums"}, "seed": 1}
    crossfade = {"mode": "crossfade", "start": start, "end": {"init": {"seed_image": "bass"}, "seed": 2}, "alpha": 0.5}
    store.accept([Submission(parse(crossfade), by("alice"))])
    made = run(store)
    other = {**crossfade, "start": {**start, "seed": 3}}
    copy, new = (store.accept([Submission(parse(each), by("alice"))]).records[0] for each in (crossfade, other))
    assert (copy.status, copy.result) == (JobStatus.SUCCEEDED, made.result)
    assert new.status is JobStatus.QUEUED


@pytest.mark.parametrize(
    ("client", "fields"),
    [
        ("alice", {}),  # the seed is left to chance
        ("alice", {"seed": 7, "fresh": True}),
        ("alice", {"seed": 8}),
        ("alice", {"seed": 7, "steps": 21}),
        ("bob", {"seed": 7}),
    ],
)
def test_anything_else_is_made(store: JobStore, client: str, fields: dict[str, object]) -> None:
    submit(store, seed=7)
    run(store)
    record = store.accept(
        [Submission(parse({"mode": "text-to-audio", "prompt": "funk bassline", **fields}), by(client))]
    ).records[0]
    assert record.status is JobStatus.QUEUED
    assert "fresh" not in record.request


@pytest.mark.parametrize("end", ["wait", "run", "cancel", "delete"])
def test_only_a_result_that_is_kept_is_copied(store: JobStore, end: str) -> None:
    earlier = submit(store, seed=7)
    if end == "run":
        claim(store)
    elif end == "cancel":
        store.cancel(earlier.id)
    elif end == "delete":
        run(store)
        store.delete(earlier.id)
    assert submit(store, seed=7).status is JobStatus.QUEUED


def test_a_full_queue_still_makes_copies(configured: Callable[..., JobStore]) -> None:
    store = configured(max_queued=1)
    submit(store, seed=7)
    run(store)
    submit(store)
    records = store.accept([Submission(prompt(seed=7), by("alice"))] * 2).records
    assert {record.status for record in records} == {JobStatus.SUCCEEDED}


def test_what_a_worker_of_version_1_made_serves_too_but_only_its_owner(store: JobStore, redis: Redis) -> None:
    def asked(owner: str) -> list[Submission]:
        return [Submission(prompt(seed=7), Tenant("address:192.0.2.1", owner=owner))]

    store.accept(asked("secret:mine"))
    made = run(store)
    (key,) = keys(redis, "made:*")
    redis.delete(key)
    stored = redis.hget(f"job:{made.id}", "request").decode()  # type: ignore[union-attr]
    digest = hashlib.sha1(f"address:192.0.2.1\n{MODEL}\n{stored}".encode()).hexdigest()  # noqa: S324 -- as Redis has it
    redis.set(f"made:{digest}", made.id)
    assert store.accept(asked("secret:mine")).records[0].result == made.result
    assert store.accept(asked("secret:theirs")).records[0].status is JobStatus.QUEUED


def test_a_copy_takes_no_share_of_the_queue(store: JobStore, redis: Redis) -> None:
    submit(store, seed=7)
    run(store)
    share = redis.zscore(f"clients:{MODEL}", "alice")
    for _ in range(3):
        submit(store, seed=7)
    assert redis.zscore(f"clients:{MODEL}", "alice") == share
    load = store.models.loads()[MODEL]
    assert (load.waiting, load.running) == (0, 0)


def test_a_key_returns_the_same_copy(store: JobStore) -> None:
    submit(store, seed=7)
    run(store)
    first = accept(store, [Submission(prompt(seed=7), by("alice"))], "key")
    again = accept(store, [Submission(prompt(seed=7), by("alice"))], "key")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.records == first.records


class TestFiles:
    @pytest.mark.parametrize("end", ["delete", "expire"])
    def test_a_copy_outlives_the_job_it_was_made_by(
        self, store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int], end: str
    ) -> None:
        made = make(store, files)
        copy = submit(store, seed=7)
        if end == "delete":
            store.delete(made.id)
        else:
            expire(redis, made)
        sweep()
        with pytest.raises(Gone):
            store.get(made.id)
        assert is_there(files, copy)
        store.delete(copy.id)
        sweep_now(redis, made)
        sweep()
        assert list(files.list("results/")) == []
        assert keys(redis, "pins:*") | to_sweep(redis) == set()

    def test_the_job_it_was_made_by_outlives_a_copy(
        self, store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int]
    ) -> None:
        made = make(store, files)
        copy = submit(store, seed=7)
        expire(redis, copy)
        sweep()
        with pytest.raises(Gone):
            store.get(copy.id)
        assert is_there(files, made)
        assert keys(redis, "pins:*") == set()

    def test_what_a_copy_is_taken_into_keeps_the_files(
        self, store: JobStore, files: Storage, redis: Redis, sweep: Callable[[], int]
    ) -> None:
        made = make(store, files)
        copy = submit(store, seed=7)
        store.accept([Submission(parse({"mode": "riff", "prompt": "x", "init": {"job": copy.id}}), by("alice"))])
        for record in (copy, made):
            store.delete(record.id)
            sweep_now(redis, record)
        sweep()
        later = claim(store)
        assert files.get(later.inputs["init"]) == b"x"
        store.finish(later.id, later.token, success(later))
        for record in (copy, made):
            sweep_now(redis, record)
        sweep()
        assert list(files.list(made.folder)) == []
        assert keys(redis, "pins:*") == set()
