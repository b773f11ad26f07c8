"""The record's form in Redis."""

import pytest

from riffusion.jobs.record import Failure, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.requests import cost, parse
from tests.jobs.conftest import claim, run, submit, success


def test_a_new_job_reads_back_as_it_was_asked_for(store: JobStore) -> None:
    record = submit(store, text='\x00 "é" 音 \U0001f3b7', steps=30, seed=7)
    assert record == store.get(record.id)
    assert (record.status, record.mode, record.model, record.tenant) == (
        JobStatus.QUEUED, "text-to-audio", "tiny", "alice",
    )  # fmt: skip
    assert record.request["prompt"] == '\x00 "é" 音 \U0001f3b7'
    assert record.request["seed"] == 7
    assert record.cost == pytest.approx(cost(parse(record.request)))
    assert record.created_at > 1.7e9
    assert (record.started_at, record.completed_at, record.result, record.error) == (None, None, None, None)


def test_a_seed_left_out_is_drawn(store: JobStore) -> None:
    seeds = {submit(store).request["seed"] for _ in range(5)}
    assert len(seeds) == 5


def test_a_succeeded_job_carries_its_result(store: JobStore) -> None:
    submit(store)
    record = run(store)
    outcome = success(record)
    assert (record.status, record.result, record.warnings) == (
        JobStatus.SUCCEEDED, outcome.output, outcome.warnings,
    )  # fmt: skip
    assert record.completed_at is not None
    assert record.started_at is not None
    assert record.created_at <= record.started_at <= record.completed_at


def test_a_failed_job_says_why(store: JobStore) -> None:
    submit(store)
    record = claim(store)
    assert store.finish(record.id, record.token, Failure("out_of_memory", "Even alone, it doesn't fit."))
    failed = store.get(record.id)
    assert (failed.status, failed.error) == (
        JobStatus.FAILED, Failure("out_of_memory", "Even alone, it doesn't fit."),
    )  # fmt: skip


def test_only_the_last_three_states_are_terminal() -> None:
    assert [status for status in JobStatus if status.terminal] == ["succeeded", "failed", "canceled"]
