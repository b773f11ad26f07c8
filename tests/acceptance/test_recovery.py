"""Workers that die or are asked to stop, and canceled jobs: each job ends once, with the files it should have."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from riffusion.client import Job
from riffusion.embedded.child import kill, stop
from riffusion.requests import parse
from tests.acceptance.conftest import Stack, http
from tests.conftest import wait_until

LONG = parse({"mode": "text-to-audio", "prompt": "bells", "steps": 150, "width": 256})
WITHIN = timedelta(seconds=20)  # after a worker is back; promised for the default lease of 10 s


def has_begun(job: Job) -> bool:
    """Whether the first step is done; before, progress is null."""
    job.refresh()
    return bool(job.data.progress and job.data.progress.step > 0)


def test_a_killed_workers_job_succeeds_once(empty_stack: Stack) -> None:
    first = empty_stack.start_worker()
    job = empty_stack.client.submit(LONG)
    wait_until(lambda: has_begun(job), 60, "the job never started")

    kill(first)
    first.wait()
    wait_until(lambda: not empty_stack.models(), 60, "the dead worker is still listed")
    empty_stack.start_worker()
    back = datetime.now(UTC)
    job.wait(timeout_s=120)

    assert job.data.attempts == 2
    assert job.data.started_at
    assert job.data.started_at <= back + WITHIN
    assert http.get(job.audio.url).status_code == httpx.codes.OK
    folder = job.audio.url.split("/results/")[1].split("/")[0]
    assert empty_stack.objects() == {f"results/{folder}/clip.png", f"results/{folder}/clip.mp3"}


def test_a_worker_asked_to_stop_finishes_what_runs(empty_stack: Stack) -> None:
    worker = empty_stack.start_worker()
    job = empty_stack.client.submit(LONG)
    wait_until(lambda: has_begun(job), 60, "the job never started")
    assert stop(worker, grace_s=120) == 0
    job.refresh()
    assert (job.status, job.data.attempts) == ("succeeded", 1)


@pytest.mark.parametrize("when", ["queued", "running"])
def test_a_canceled_job_leaves_no_files(when: str, empty_stack: Stack) -> None:
    if when == "running":
        empty_stack.start_worker()
    job = empty_stack.client.submit(LONG)

    def is_time() -> bool:
        job.refresh()
        return job.status == when

    wait_until(is_time, 60, f"the job never was {when}")
    assert job.cancel().status == "canceled"
    for worker in empty_stack.workers:
        assert stop(worker, grace_s=60) == 0
    wait_until(lambda: empty_stack.objects() == set(), 30, "files are left")
