"""Workers that are killed, put to sleep, asked to stop, poisoned and hung."""

import os
import signal
import time

from riffusion.embedded.child import stop
from riffusion.jobs.record import JobStatus
from tests.conftest import wait_until
from tests.faults.conftest import MakeStack
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack

RESTARTS_S = 20.0
HOLDS = 4  # jobs, by the settings of these stacks


def statuses(stack: Stack, *ids: str) -> set[JobStatus]:
    return {stack.get(job_id).status for job_id in ids}


def test_1_a_busy_worker_killed_five_times(stack: Stack) -> None:
    worker = stack.start_worker()
    for _ in range(5):
        ids = [stack.submit("1") for _ in range(HOLDS)]
        stack.wait_running(*ids)
        worker.kill()
        worker = stack.start_worker()
        wait_until(lambda: all(stack.get(each).attempts == 2 for each in ids), RESTARTS_S, "not restarted")  # noqa: B023
        stack.wait_ended(*ids)
        assert statuses(stack, *ids) == {JobStatus.SUCCEEDED}
    wait_kept(stack)


def test_2_workers_killed_under_a_stream(stack: Stack) -> None:
    workers = [stack.start_worker(wait=False) for _ in range(3)]
    with stack.stream("0"):
        for _ in range(25):
            wait_until(lambda: workers[0].ready and workers[1].ready, 60)
            workers.pop(0).kill()
            workers.append(stack.start_worker(wait=False))
    wait_kept(stack)
    # By chance all three attempts of an innocent job may be hit.
    assert {stack.get(job_id).attempts for job_id in stack.accepted if stack.get(job_id).error} <= {3}


def test_8_a_worker_that_sleeps_past_its_lease(stack: Stack) -> None:
    sleeper = stack.start_worker()
    ids = [stack.submit("1.5") for _ in range(HOLDS)]
    stack.wait_running(*ids)
    sleeper.process.send_signal(signal.SIGSTOP)
    stack.start_worker()
    stack.wait_ended(*ids)
    sleeper.process.send_signal(signal.SIGCONT)
    wait_until(lambda: sleeper.log.read_text().count('"outcome": "lost"') == HOLDS, 30, "it never noticed")
    wait_kept(stack)
    assert {stack.get(job_id).attempts for job_id in ids} == {2}


def test_10_a_worker_asked_to_stop_under_load(make_stack: MakeStack) -> None:
    stack = make_stack(lease_s=20)  # a machine that stands still for two seconds has jobs run twice
    first = stack.start_worker()
    ids = [stack.submit("1.5") for _ in range(3 * HOLDS)]
    wait_until(lambda: len(stack.runs()) >= HOLDS, 30)
    assert stop(first.process, grace_s=60) == 0
    assert len(stack.runs()) < len(ids)  # it took nothing new
    stack.start_worker()
    stack.wait_ended(*ids)
    wait_kept(stack)
    assert stack.runs() == dict.fromkeys(ids, 1)


def test_10_a_worker_killed_while_it_stops(stack: Stack) -> None:
    first = stack.start_worker()
    ids = [stack.submit("2") for _ in range(2 * HOLDS)]
    wait_until(lambda: len(stack.runs()) >= HOLDS, 30)
    first.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    first.kill()
    stack.start_worker()
    wait_kept(stack)
    assert statuses(stack, *ids) == {JobStatus.SUCCEEDED}


def test_13_a_job_that_kills_its_workers(stack: Stack) -> None:
    poison, others = stack.submit("1 die"), [stack.submit("2") for _ in range(5)]
    worker = stack.start_worker()
    deadline = time.monotonic() + 90
    while not stack.ended(poison, *others) and time.monotonic() < deadline:
        if worker.process.poll() is not None:
            worker = stack.start_worker()
        time.sleep(0.05)
    wait_kept(stack)
    record = stack.get(poison)
    assert record.error is not None
    assert (record.error.code, record.attempts, stack.runs()[poison]) == ("worker_lost", 3, 3)
    assert statuses(stack, *others) == {JobStatus.SUCCEEDED}


def test_14_canceled_jobs_end_at_once_and_leave_no_files(stack: Stack) -> None:
    worker = stack.start_worker()
    ids = [stack.submit("600") for _ in range(2 * HOLDS)]
    wait_until(lambda: sum(stack.running(each) for each in ids) == HOLDS, 30)
    for job_id in ids:
        assert stack.cancel(job_id)["status"] == "canceled"
    after = stack.submit("0")
    wait_kept(stack)
    assert statuses(stack, *ids) == {JobStatus.CANCELED}
    assert stack.get(after).status is JobStatus.SUCCEEDED
    assert worker.process.poll() is None


def test_16_a_job_that_hangs(make_stack: MakeStack) -> None:
    stack = make_stack(stalled_deadline_s=2)
    worker = stack.start_worker()
    hung = [stack.submit("hang")]
    stack.wait_ended(*hung)
    # A slot of four: the others run on, and both sides report how many are left.
    wait_until(lambda: worker.metric("riffusion_worker_slots_hung") == 1, 30)
    wait_until(lambda: stack.metric('riffusion_worker_slots{model="tiny"}') == HOLDS - 1, 30)
    fine = stack.submit("0")
    stack.wait_ended(fine)
    # Half of its slots: what else runs ends, and so does the process.
    hung.append(stack.submit("hang"))
    neighbour = stack.submit("1")
    assert worker.process.wait(60) == os.EX_TEMPFAIL
    stack.start_worker()
    wait_kept(stack)
    assert {error.code for job_id in hung if (error := stack.get(job_id).error)} == {"deadline_exceeded"}
    assert statuses(stack, fine, neighbour) == {JobStatus.SUCCEEDED}
