"""Workers cut off from Redis without either side being notified."""

import time

from riffusion.jobs.record import JobStatus
from tests.conftest import wait_until
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack

DONE_S = 20.0


def test_3_an_idle_worker_is_cut_off(stack: Stack) -> None:
    lost, _ = stack.start_worker(wait=False), stack.start_worker()
    wait_until(lambda: lost.ready, 60)
    for _ in range(4):  # chance decides which of the two the wake-up goes to
        lost.net.black_hole()
        published = time.monotonic()
        job_id = stack.submit("0")
        wait_until(lambda: stack.ended(job_id), DONE_S - (time.monotonic() - published), "no one woke up")  # noqa: B023
        lost.net.fair()
        stack.wait_ended(*[stack.submit("0") for _ in range(8)])
    wait_kept(stack)


def test_3_a_busy_worker_is_cut_off_past_its_lease(stack: Stack) -> None:
    lost = stack.start_worker()
    ids = [stack.submit("3") for _ in range(4)]
    stack.wait_running(*ids)
    lost.net.black_hole()
    stack.start_worker()
    stack.wait_ended(*ids)
    lost.net.fair()
    wait_until(lambda: lost.log.read_text().count('"outcome": "lost"') == 4, 30, "a late commit was not refused")
    wait_kept(stack)
    assert {(stack.get(job_id).status, stack.get(job_id).token) for job_id in ids} == {(JobStatus.SUCCEEDED, 2)}
    stack.wait_ended(*[stack.submit("0") for _ in range(8)])
    assert lost.process.poll() is None
