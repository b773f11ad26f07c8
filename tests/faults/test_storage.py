"""A storage that fails, hangs up, hangs, and is full."""

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import pytest

from riffusion.jobs.record import JobStatus
from tests.conftest import wait_until
from tests.faults.conftest import MakeStack
from tests.faults.promise import leftovers, wait_kept
from tests.faults.proxy import Proxy
from tests.faults.stack import Stack, error_response
from worker.retry import SILENT_S

OUTAGES: dict[str, Callable[[Proxy], None]] = {
    "500": lambda net: net.refuse(error_response(HTTPStatus.INTERNAL_SERVER_ERROR)),
    "503": lambda net: net.refuse(error_response(HTTPStatus.SERVICE_UNAVAILABLE)),
    "resets": lambda net: net.reset(),
    "hangs": lambda net: net.black_hole(),
}


def test_9_s3_fails_in_every_way(stack: Stack) -> None:
    worker = stack.start_worker()
    for kind, begin in OUTAGES.items():
        held = stack.submit("1")
        stack.wait_running(held)
        begin(stack.storage_net)
        time.sleep(1 + SILENT_S + 1)  # until the job is to be stored, and until that is found to fail or hang
        waiting = stack.submit("0")
        time.sleep(2)
        assert (stack.get(held).status, stack.get(held).attempts) == (JobStatus.RUNNING, 1), kind
        assert stack.get(waiting).attempts == 0, f"{kind}: the worker took another job"
        stack.storage_net.fair()
        stack.wait_ended(held, waiting)
    wait_kept(stack)
    assert stack.runs() == dict.fromkeys(stack.accepted, 1)
    assert worker.process.poll() is None


def in_small_folder(folder: Path, size: str = "64k") -> list[str]:
    """What to put before a command so that this folder holds as much, for it alone."""
    folder.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    small = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount]
    if subprocess.run([*small, str(folder), "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets its users mount nothing in a namespace of their own")
    return [*small, str(folder)]


def test_9_the_disk_is_full(make_stack: MakeStack) -> None:
    stack = make_stack(storage="local")
    folder = stack.folder / "data" / "files" / "results"
    worker = stack.start_worker(prefix=in_small_folder(folder))
    fine = stack.submit("0")
    stack.wait_ended(fine)
    filler = Path(f"/proc/{worker.process.pid}/root{folder}/filler")
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    refused = [stack.submit("0") for _ in range(3)]
    stack.wait_ended(*refused)
    assert {error.code for job_id in refused if (error := stack.get(job_id).error)} == {"storage_full"}
    filler.unlink()
    again = stack.submit("0")
    stack.wait_ended(again)
    assert {stack.get(job_id).status for job_id in (fine, again)} == {JobStatus.SUCCEEDED}
    wait_until(lambda: not leftovers(stack.store), message=f"left over: {leftovers(stack.store)}")
    assert worker.process.poll() is None
