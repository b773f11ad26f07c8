"""Worker processes that are killed, stopped, cut off and driven mad: every job ends once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from riffusion.embedded.child import kill, stop
from riffusion.jobs.record import JobStatus
from riffusion.storage import Storage
from tests.conftest import ValkeyServer, free_port, wait_until
from tests.worker.conftest import Jobs, Workers

MakeWorkers = Callable[..., Workers]
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
def soon(workers: MakeWorkers) -> Workers:
    """Workers that are missed soon."""
    return workers(lease_s=2)


def running(jobs: Jobs, *ids: str) -> bool:
    return all(jobs.get(job_id).total for job_id in ids)


def results(files: Storage) -> set[str]:
    return set(files.list("results/"))


def test_a_job_outlives_its_killed_worker(soon: Workers, jobs: Jobs, files: Storage) -> None:
    first = soon.start()
    job_id = jobs.submit("2")
    wait_until(lambda: running(jobs, job_id))
    kill(first)
    first.wait()
    soon.start()
    record = jobs.wait(job_id)
    assert (record.status, record.attempts) == (JobStatus.SUCCEEDED, 2)
    assert results(files) == {f"{record.folder}clip.png", f"{record.folder}clip.mp3"}


def test_a_worker_loads_ahead_what_it_has_not_loaded_when_it_is_ready(
    soon: Workers, jobs: Jobs, tmp_path: Path
) -> None:
    worker, log = soon.start(), tmp_path / "worker0.log"
    assert jobs.wait(jobs.submit("0")).status is JobStatus.SUCCEEDED
    wait_until(lambda: "loaded ahead" in log.read_text())
    assert stop(worker, grace_s=60) == 0


def test_sigterm_finishes_what_runs_and_takes_nothing_new(soon: Workers, jobs: Jobs) -> None:
    worker = soon.start()
    held = [jobs.submit("3"), jobs.submit("3")]
    wait_until(lambda: running(jobs, *held))
    waiting = jobs.submit("0")
    assert stop(worker, grace_s=60) == 0
    assert [jobs.get(job_id).attempts for job_id in held] == [1, 1]
    assert {jobs.get(job_id).status for job_id in held} == {JobStatus.SUCCEEDED}
    assert jobs.get(waiting).status is JobStatus.QUEUED
    assert not soon.store.models.alive()


def test_past_its_grace_a_worker_gives_its_jobs_back(workers: MakeWorkers, jobs: Jobs, files: Storage) -> None:
    hasty = workers(shutdown_grace_s=0.5)
    worker = hasty.start()
    job_id = jobs.submit("600")
    wait_until(lambda: running(jobs, job_id))
    assert stop(worker, grace_s=60) == 0
    record = jobs.get(job_id)
    assert (record.status, record.attempts) == (JobStatus.QUEUED, 0)
    assert results(files) == set()


def test_a_long_step_does_not_hold_up_the_end(workers: MakeWorkers, jobs: Jobs) -> None:
    hasty = workers(shutdown_grace_s=0.5)
    worker = hasty.start()
    job_id = jobs.submit("600 step")
    jobs.wait(job_id, JobStatus.RUNNING)
    assert stop(worker, grace_s=60) == os.EX_TEMPFAIL
    record = jobs.get(job_id)
    assert (record.status, record.attempts) == (JobStatus.QUEUED, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_gives_jobs_back_at_once(number: signal.Signals, soon: Workers, jobs: Jobs) -> None:
    worker = soon.start()
    job_id = jobs.submit("600")
    wait_until(lambda: running(jobs, job_id))
    for _ in range(2):
        worker.send_signal(number)
        time.sleep(1)  # two that come together count as one
    worker.wait(60)
    record = jobs.get(job_id)
    assert (record.status, record.attempts) == (JobStatus.QUEUED, 0)


def test_a_job_that_kills_its_workers_fails_alone(soon: Workers, jobs: Jobs) -> None:
    worker = soon.start()
    poison, others = jobs.submit("die"), [jobs.submit("2") for _ in range(3)]
    for _ in range(3):
        worker.wait(60)
        worker = soon.start(wait=False)  # it may die as soon as it is ready
    record = jobs.wait(poison)
    assert record.error is not None
    assert (record.error.code, record.attempts) == ("worker_lost", 3)
    assert {jobs.wait(job_id).status for job_id in others} == {JobStatus.SUCCEEDED}


def test_a_job_that_hangs_is_failed_and_its_worker_recycled(workers: MakeWorkers, jobs: Jobs) -> None:
    port = free_port()
    group = workers(slots=3, stalled_deadline_s=2, worker_metrics_port=port)
    worker = group.start()
    error = jobs.wait(jobs.submit("hang")).error
    assert error is not None
    assert error.code == "deadline_exceeded"
    # One of three slots: the others run on, and the worker reports how many it has left.
    wait_until(lambda: "slots_hung 1.0" in httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    assert jobs.wait(jobs.submit("0")).status is JobStatus.SUCCEEDED
    second, neighbour = jobs.submit("hang"), jobs.submit("6")
    assert worker.wait(60) == os.EX_TEMPFAIL
    assert jobs.get(second).status is JobStatus.FAILED
    assert (jobs.get(neighbour).status, jobs.get(neighbour).attempts) == (JobStatus.SUCCEEDED, 1)


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Redis of this test's own, which keeps everything it has acknowledged."""
    (tmp_path / "valkey").mkdir()
    server = ValkeyServer.start(tmp_path / "valkey", *DURABLE)
    yield server
    server.kill()


def test_a_redis_that_dies_and_then_hangs_up_runs_nothing_twice(workers: MakeWorkers, durable: ValkeyServer) -> None:
    group = workers(redis_url=durable.url, lease_s=2)
    jobs, worker = Jobs(group.store), group.start()
    held = [jobs.submit("8"), jobs.submit("2")]
    wait_until(lambda: running(jobs, *held))
    durable.kill()
    time.sleep(4)  # longer than the lease, and than the second job runs
    assert durable.run(*DURABLE)
    group.store.redis.client_kill_filter(_type="normal", skipme=True)
    assert [jobs.wait(job_id).status for job_id in held] == [JobStatus.SUCCEEDED] * 2
    assert [jobs.get(job_id).attempts for job_id in held] == [1, 1]
    assert jobs.wait(jobs.submit("0")).status is JobStatus.SUCCEEDED
    assert worker.poll() is None


def test_work_is_found_though_no_message_comes(soon: Workers, jobs: Jobs) -> None:
    worker = soon.start()
    jobs.store.redis.set("waking:tiny", 1)  # every reaper takes another to be publishing, as where the broker is full
    ended = [jobs.wait(job_id) for job_id in [jobs.submit("0.1") for _ in range(6)]]
    assert {(record.status, record.attempts) for record in ended} == {(JobStatus.SUCCEEDED, 1)}
    assert worker.poll() is None


def test_a_worker_that_slept_past_its_lease_commits_nothing(soon: Workers, jobs: Jobs, files: Storage) -> None:
    sleeper = soon.start()
    job_id = jobs.submit("2")
    wait_until(lambda: running(jobs, job_id))
    sleeper.send_signal(signal.SIGSTOP)
    soon.start()
    record = jobs.wait(job_id)
    sleeper.send_signal(signal.SIGCONT)
    assert (record.status, record.attempts) == (JobStatus.SUCCEEDED, 2)
    assert stop(sleeper, grace_s=60) == 0
    assert jobs.get(job_id) == record
    wanted = {f"{record.folder}clip.png", f"{record.folder}clip.mp3"}
    wait_until(lambda: results(files) == wanted, 30, "files of the loser are left")
