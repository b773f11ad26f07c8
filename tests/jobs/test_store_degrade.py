"""A long queue: where the operator allows it, new jobs get fewer steps, and say so."""

from collections.abc import Callable
from typing import Any

import pytest

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore
from riffusion.requests import cost, parse
from tests.jobs.conftest import by, prompt, run, submit


@pytest.fixture
def store(configured: Callable[..., JobStore]) -> JobStore:
    return configured(degrade_queued=2)


def made(record: JobRecord) -> tuple[int, bool]:
    return record.request["steps"], record.degraded


def test_from_some_length_of_the_queue_new_jobs_have_the_steps_of_fast(store: JobStore) -> None:
    assert [made(submit(store)) for _ in range(4)] == [(20, False), (20, False), (10, True), (10, True)]


def test_the_jobs_of_an_array_count(store: JobStore) -> None:
    records = store.accept([Submission(prompt(), by("alice"))] * 3).records
    assert [made(record) for record in records] == [(20, False), (20, False), (10, True)]


def test_it_ends_with_the_queue(store: JobStore) -> None:
    for _ in range(3):
        submit(store)
    run(store), run(store)
    assert made(submit(store)) == (20, False)


def test_a_degraded_job_is_as_much_work_as_it_says_and_can_be_sent_again(store: JobStore) -> None:
    submit(store), submit(store)
    record = submit(store, quality="best")
    request = parse(record.request)
    assert (record.request["quality"], record.request["scheduler"], made(record)) == ("fast", "dpm++2m", (10, True))
    assert record.cost == cost(request)
    assert int(store.redis.hget(f"job:{record.id}", "schema") or 0) == request.schema_version  # type: ignore[arg-type]
    assert made(store.get(record.id)) == (10, True)


@pytest.mark.parametrize(
    ("fields", "steps", "degraded"), [({"steps": 4}, 4, False), ({"steps": 10}, 10, False), ({"steps": 11}, 10, True)]
)
def test_no_request_gets_more_steps_than_asked_for(
    store: JobStore, fields: dict[str, Any], steps: int, *, degraded: bool
) -> None:
    submit(store), submit(store)
    assert made(submit(store, scheduler="euler", **fields)) == (steps, degraded)


def test_what_the_model_has_no_part_in_stays_as_it_is(store: JobStore) -> None:
    submit(store), submit(store)
    sound = parse({"mode": "image-to-audio", "image": {"seed_image": "drums"}})
    assert not store.accept([Submission(sound, by("alice"))]).records[0].degraded


def test_what_is_fast_is_no_result_of_the_full_request(store: JobStore) -> None:
    for _ in range(2):
        submit(store)
    assert made(submit(store, seed=7)) == (10, True)
    assert [run(store).degraded for _ in range(3)] == [False, False, True]
    record = submit(store, seed=7)
    assert (made(record), record.result) == ((20, False), None)


def test_never_unless_allowed(configured: Callable[..., JobStore]) -> None:
    store = configured()
    assert [made(submit(store)) for _ in range(4)] == [(20, False)] * 4
