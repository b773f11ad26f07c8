"""Jobs whose workers died, requeued by an operator while workers go on dying, through the real processes."""

import json
import os
import subprocess
import sys

from riffusion.jobs.record import JobStatus
from tests.conftest import wait_until
from tests.faults.conftest import MakeStack
from tests.faults.promise import wait_kept
from tests.faults.stack import ROOT, Stack, http


def command(stack: Stack, *arguments: str) -> list[str]:
    """The lines that `riffusion …` prints."""
    env = os.environ | {"RIFFUSION_REDIS_URL": stack.valkey.url, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "riffusion", *arguments], env=env, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()


def test_a_job_whose_workers_died_is_requeued_and_has_all_its_attempts_again(make_stack: MakeStack) -> None:
    stack = make_stack(max_attempts=2)
    job_id = stack.submit("1.5")

    def kill_its_worker() -> None:
        worker = stack.start_worker()
        stack.wait_running(job_id)
        worker.kill()
        wait_until(lambda: not stack.running(job_id) or stack.ended(job_id), 30)

    kill_its_worker()
    kill_its_worker()
    stack.wait_ended(job_id)
    assert stack.seen(job_id)["error"]["code"] == "worker_lost"
    tag = http.get(f"{stack.url}/jobs/{job_id}").headers["ETag"]
    assert command(stack, "jobs", "requeue", "--error", "worker_lost", "--yes") == [job_id]
    waiting = http.get(f"{stack.url}/jobs/{job_id}", headers={"If-None-Match": tag})
    assert (waiting.status_code, waiting.json()["status"], waiting.json()["error"]) == (200, "queued", None)
    kill_its_worker()
    stack.start_worker()
    wait_kept(stack)
    assert stack.get(job_id).status is JobStatus.SUCCEEDED
    assert stack.runs() == {job_id: 4}
    assert [json.loads(line)["action"] for line in command(stack, "audit", "--json")] == ["job.requeue"]


def test_a_pause_outlives_everything_but_the_operator(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start_worker()
    command(stack, "models", "pause", "tiny")
    job_id = stack.submit("0")
    stack.valkey.kill()
    stack.start_redis()
    stack.stop_api()
    stack.start_api()
    stack.start_worker()
    later = stack.submit("0")
    assert [stack.seen(each)["queue"]["paused"] for each in (job_id, later)] == [True, True]
    assert stack.runs() == {}
    command(stack, "models", "resume", "tiny")
    wait_kept(stack)
    assert stack.get(job_id).status is stack.get(later).status is JobStatus.SUCCEEDED
