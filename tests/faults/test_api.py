"""The API that dies at the worst moment, and hosts whose clocks are wrong."""

import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest

from riffusion.jobs.record import JobStatus
from tests.conftest import wait_until
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack, wrong_clock

STARTS_S = 5.0
HOUR_S = 3600.0
REFUSAL = {HOUR_S: "refuses: RequestTimeTooSkewed", -HOUR_S: "refuses: AccessDenied"}  # rclone's words


def test_7_the_api_dies_between_accepting_and_waking_up(stack: Stack) -> None:
    stack.start_worker()
    stack.stop_api()
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn_conf"]
    stack.start_api(*gunicorn, "--bind", f"127.0.0.1:{stack.port}", "tests.faults.dying_api:create()")
    key = uuid.uuid4().hex
    with pytest.raises(httpx.TransportError):
        stack.post("0", key)
    (job_id,) = (key.decode().removeprefix("job:") for key in stack.redis.scan_iter(match="job:*"))
    wait_until(lambda: stack.get(job_id).attempts, STARTS_S, "no worker woke up")
    stack.start_api()
    assert stack.post("0", key).json()["id"] == job_id
    wait_kept(stack)


def test_15_clocks_jump(stack: Stack, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    wrong = wrong_clock(clock)
    stack.stop_api()
    stack.start_api(env=wrong)
    worker = stack.start_worker(env=wrong)
    for jump in (HOUR_S, -HOUR_S):
        ids = [stack.submit("1")]
        stack.wait_running(*ids)
        clock.write_text(str(jump))
        ids += [stack.submit("1") for _ in range(3)]
        wait_until(lambda: all(stack.runs()[each] for each in ids), 30)  # noqa: B023
        time.sleep(3)  # a lease and more
        assert all(abs(stack.get(job_id).created_at - time.time()) < HOUR_S / 2 for job_id in ids)
        assert {(stack.get(job_id).status, stack.get(job_id).attempts) for job_id in ids} == {(JobStatus.RUNNING, 1)}
        assert REFUSAL[jump] in worker.log.read_text()
        clock.write_text("0")
        stack.wait_ended(*ids)
    wait_kept(stack)
    assert {stack.get(job_id).status for job_id in stack.accepted} == {JobStatus.SUCCEEDED}
    assert stack.runs() == dict.fromkeys(stack.accepted, 1)
