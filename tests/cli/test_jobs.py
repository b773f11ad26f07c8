"""`riffusion jobs`: what it finds, shows and does, and what it writes into the audit log."""

import json
from collections.abc import Callable

from redis import Redis

from riffusion.jobs.audit import AuditLog
from riffusion.jobs.record import Failure, JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.cli.conftest import lines
from tests.jobs.conftest import claim, submit

Command = Callable[..., str]


def fail(store: JobStore, code: str = "out_of_memory") -> JobRecord:
    submit(store)
    record = claim(store)
    assert store.finish(record.id, record.token, Failure(code, "It failed."))
    return store.get(record.id)


def test_jobs_are_listed(command: Command, store: JobStore) -> None:
    assert command("jobs", "list") == ""
    failed = fail(store)
    waiting = submit(store, "key:1")
    heads, first, second = command("jobs", "list").splitlines()
    assert heads.split()[0] == "ID"
    assert first.split()[0] == waiting.id
    assert {"failed", "tiny", "alice", "out_of_memory"} <= set(second.split())
    assert [job["id"] for job in lines(command("jobs", "list", "--json", "--key", "1"))] == [waiting.id]
    assert [job["id"] for job in lines(command("jobs", "list", "--json", "--status", "failed"))] == [failed.id]
    assert command("jobs", "list", "--older", "1h") == ""
    assert len(command("jobs", "list", "--newer", "1h", "--limit", "1").splitlines()) == 2
    command("jobs", "list", "--newer", "soon", status=2)


def test_a_list_that_is_empty_or_cut_says_so(command: Command, noted: Command, store: JobStore) -> None:
    assert noted("jobs", "list") == "No jobs match.\n"
    for verb in ("cancel", "requeue", "purge"):
        assert noted("jobs", verb, "--status", "queued", "--yes") == f"No jobs to {verb} match.\n"
    submit(store)
    assert noted("jobs", "list", "--limit", "1") == ""
    submit(store)
    assert noted("jobs", "list", "--limit", "1") == "1 of more; --limit N shows more.\n"


def test_what_no_job_can_match_is_refused(command: Command, noted: Command, store: JobStore) -> None:
    submit(store, model="tiny")
    assert "worker_lost" in noted("jobs", "list", "--error", "nope", status=2)
    for verb in ("list", "requeue", "purge"):
        said = noted("jobs", verb, "--model", "nope", status=1)
        assert "There is no model nope, and no job for it. The models are: tiny." in said


def test_jobs_of_a_retired_model_are_found(command: Command, store: JobStore) -> None:
    store.models.register("w", "old", 1)
    old = submit(store, model="old")
    store.models.unregister("w")
    command("models", "retire", "old")
    assert old.id in command("jobs", "list", "--model", "old")


def test_a_job_is_shown_with_its_timeline(command: Command, store: JobStore) -> None:
    failed = fail(store)
    shown = command("jobs", "show", failed.id)
    assert "out_of_memory: It failed." in shown
    (request,) = [line for line in shown.splitlines() if line.startswith("request")]
    assert json.loads(request.removeprefix("request")) == failed.request
    assert [event in shown for event in ("accepted", "started", "failed", "expires")] == [True] * 4
    data = json.loads(command("jobs", "show", failed.id, "--json"))
    assert (data["client"], data["status"], data["queue"]) == ("alice", "failed", None)
    assert [step["event"] for step in data["timeline"]] == ["accepted", "started", "failed", "expires"]
    assert "0 before it" in command("jobs", "show", submit(store).id)
    command("jobs", "show", "0123", status=1)


def test_failed_jobs_are_requeued_one_by_one(command: Command, store: JobStore) -> None:
    failed = fail(store)
    assert command("jobs", "requeue", failed.id, "--dry-run").split() == [failed.id]
    assert store.get(failed.id).status is JobStatus.FAILED
    assert command("jobs", "requeue", failed.id, "0123", status=1).split() == [failed.id]
    assert store.get(failed.id).status is JobStatus.QUEUED
    command("jobs", "requeue", failed.id, "--dry-run", status=1)
    command("jobs", "requeue", status=2)
    command("jobs", "requeue", failed.id, "--model", "tiny", status=2)


def test_failed_jobs_are_requeued_by_filter(
    command: Command, noted: Command, store: JobStore, redis: Redis, settings: Settings
) -> None:
    wanted, other = {fail(store, "worker_lost").id for _ in range(3)}, fail(store)
    assert set(command("jobs", "requeue", "--error", "worker_lost", "--dry-run").split()) == wanted
    assert noted("jobs", "requeue", "--error", "worker_lost", "--dry-run") == "3 jobs; nothing was done.\n"
    assert "--yes" in noted("jobs", "requeue", "--error", "worker_lost", status=1)  # no terminal to ask on
    assert store.models.loads()["tiny"].waiting == 0
    assert set(command("jobs", "requeue", "--error", "worker_lost", "--yes").split()) == wanted
    assert {store.get(job_id).status for job_id in wanted} == {JobStatus.QUEUED}
    assert store.get(other.id).status is JobStatus.FAILED
    (entry,) = AuditLog(redis, settings).read(10)
    assert (entry.action, entry.target) == ("job.requeue", "")
    assert entry.details == {"count": 3, "error": "worker_lost"}


def test_jobs_are_canceled(command: Command, store: JobStore, redis: Redis, settings: Settings) -> None:
    failed, waiting = fail(store), submit(store)
    assert command("jobs", "cancel", "--model", "tiny", "--yes").split() == [waiting.id]
    assert (store.get(waiting.id).status, store.get(failed.id).status) == (JobStatus.CANCELED, JobStatus.FAILED)
    command("jobs", "cancel", waiting.id, status=1)
    other = submit(store)
    assert command("jobs", "cancel", other.id, "nope", status=1).split() == [other.id]
    assert [entry.target for entry in AuditLog(redis, settings).read(10)] == [other.id, ""]


def test_the_log_has_durations_in_seconds_and_nothing_that_was_not_done(
    command: Command, store: JobStore, redis: Redis, settings: Settings
) -> None:
    command("jobs", "cancel", "--newer", "1h", "--yes")
    assert AuditLog(redis, settings).read(10) == []
    submit(store)
    command("jobs", "cancel", "--newer", "1h", "--model", "tiny", "--yes")
    (entry,) = AuditLog(redis, settings).read(10)
    assert entry.details == {"count": 1, "newer_s": 3600, "model": "tiny"}


def test_jobs_are_purged(command: Command, store: JobStore, redis: Redis) -> None:
    failed, waiting, kept = fail(store), submit(store), submit(store, "bob")
    assert set(command("jobs", "purge", "--client", "alice", "--dry-run").split()) == {failed.id, waiting.id}
    assert set(command("jobs", "purge", "--client", "alice", "--yes").split()) == {failed.id, waiting.id}
    assert [job["id"] for job in lines(command("jobs", "list", "--json"))] == [kept.id]
    assert redis.zscore("sweep_at", f"job:{failed.id}") is not None  # a sweep deletes its files
    command("jobs", "purge", failed.id, status=1)


def test_nothing_is_older_than_time_itself(command: Command, store: JobStore) -> None:
    job = submit(store)
    assert command("jobs", "purge", "--older", "36500d", "--yes") == ""
    assert command("jobs", "list", "--newer", "36500d").count(job.id) == 1
