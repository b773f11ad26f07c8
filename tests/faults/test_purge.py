"""A client is blocked and purged on a service that works: at once, wholly, and whatever interrupts it."""

import signal
import subprocess
import sys
from http import HTTPStatus

import httpx

from riffusion.jobs.erasures import FOLDER, ErasureLog, digest
from riffusion.storage import open_storage
from tests.conftest import wait_until
from tests.faults.promise import leftovers
from tests.faults.stack import Stack, http
from tests.jobs.test_purge import everything

CLIENT = "address:127.0.0.1"  # all the load


def clients(stack: Stack, *arguments: str) -> "subprocess.Popen[bytes]":
    """`riffusion clients …`, begun."""
    return subprocess.Popen([sys.executable, "-m", "riffusion", "clients", *arguments], env=stack.env())


def post(stack: Stack) -> httpx.Response:
    return http.post(f"{stack.url}/jobs", json={"mode": "text-to-audio", "prompt": "0"})


def test_a_purge_that_is_killed_and_repeated_leaves_nothing(stack: Stack) -> None:
    stack.start_worker()
    early = [stack.submit("0") for _ in range(8)]
    stack.wait_ended(*early)
    share = http.post(f"{stack.url}/jobs/{early[0]}/publish").json()["id"]
    http.delete(f"{stack.url}/jobs/{early[1]}")
    running = [stack.submit("60") for _ in range(4)]
    stack.wait_running(*running)
    waiting = [stack.submit("0") for _ in range(40)]

    assert clients(stack, "block", CLIENT, "--reason", "Asked to be forgotten.").wait() == 0
    refused = post(stack)
    assert (refused.status_code, refused.json()["code"]) == (HTTPStatus.FORBIDDEN, "blocked")
    purge = clients(stack, "purge", CLIENT, "--yes")
    wait_until(lambda: not all(stack.redis.exists(f"job:{job_id}") for job_id in (*early[2:], *running, *waiting)))
    purge.send_signal(signal.SIGKILL)
    purge.wait()
    assert clients(stack, "purge", CLIENT, "--yes").wait() == 0
    assert clients(stack, "unblock", CLIENT).wait() == 0

    for job_id in (*early, *running, *waiting):
        assert http.get(f"{stack.url}/jobs/{job_id}").status_code == HTTPStatus.NOT_FOUND
    assert http.get(f"{stack.url}/clips/{share}.json").status_code == HTTPStatus.NOT_FOUND
    wait_until(lambda: not stack.objects(), 30, "files are left")
    wait_until(lambda: not leftovers(stack.store), 30, "work is left")
    for key in stack.redis.scan_iter("audit"):
        stack.redis.delete(key)  # names whom it was that an operator has blocked
    names = (CLIENT, *early, *running, *waiting)
    wait_until(lambda: not [name for name in names if name in everything(stack.redis)], 90, "Redis names the client")
    files = open_storage(stack.store.settings)
    assert not [name for name in names for key in files.list(FOLDER) if name in files.get(key).decode()]
    log = ErasureLog(stack.redis, files, stack.store.settings)
    wait_until(lambda: digest(CLIENT) in {each.digest for each in log.read()}, 30, "the purge isn't remembered")
    assert stack.submit("0")
