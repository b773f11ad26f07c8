"""Redis that dies, stands still, hangs up and runs out of memory."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import psutil
import pytest

from riffusion.jobs.record import JobStatus
from tests.conftest import wait_until
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack, hang_up

CONSUMES_S = 15.0  # after Redis is back
RESUMES_S = 5.0
WINDOWS = 6


def test_4_connections_closed_while_jobs_run(stack: Stack) -> None:
    stack.start_worker()
    for _ in range(5):
        ids = [stack.submit("3") for _ in range(4)]  # longer than a lease
        stack.wait_running(*ids)
        hang_up(stack)
        stack.wait_ended(*ids)
    wait_kept(stack)
    assert stack.runs() == dict.fromkeys(stack.accepted, 1)


def test_5_redis_killed_ten_times_in_the_middle_of_posts(stack: Stack) -> None:
    stack.start_worker()
    with stack.stream("0.1", senders=4):
        for _ in range(10):
            accepted = len(stack.accepted)
            wait_until(lambda: len(stack.accepted) > accepted + 4, 30)  # noqa: B023
            stack.valkey.kill()
            stack.start_redis()
    wait_kept(stack)
    assert {stack.get(job_id).status for job_id in stack.accepted} == {JobStatus.SUCCEEDED}


def test_5_consuming_again_soon_after_an_outage(stack: Stack) -> None:
    worker = stack.start_worker()
    stack.valkey.kill()
    time.sleep(10)
    stack.start_redis()
    back = time.monotonic()
    job_id = stack.submit("0")
    wait_until(lambda: stack.get(job_id).attempts, CONSUMES_S - (time.monotonic() - back), "it doesn't consume")
    wait_kept(stack)
    assert worker.process.poll() is None


def test_6_redis_stands_still(stack: Stack) -> None:
    stack.start_worker()
    stack.submit("0")
    stack.valkey.pause()
    threading.Timer(RESUMES_S, stack.valkey.resume).start()
    keys = [uuid.uuid4().hex for _ in range(8)]

    def post(key: str) -> tuple[float, int]:
        began = time.monotonic()
        status = stack.post("0", key).status_code
        return time.monotonic() - began, status

    with ThreadPoolExecutor(len(keys)) as pool:
        first = list(pool.map(post, keys))
    assert max(seconds for seconds, _ in first) < RESUMES_S
    assert {status for _, status in first} <= {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.ACCEPTED}
    stack.valkey.resume()
    again = [stack.submit("0", key=key) for key in keys for _ in range(2)]
    assert len(set(again)) == len(keys)
    wait_kept(stack)


def test_11_redis_out_of_memory(stack: Stack) -> None:
    worker = stack.start_worker()
    held = [stack.submit("4") for _ in range(6)]
    stack.wait_running(*held[:4])
    stack.redis.config_set("maxmemory", "1mb")
    refused = stack.post("0")
    assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["code"] == "store_unavailable"
    stack.wait_ended(*held[:4])
    time.sleep(2)  # whatever a worker does while idle, it does with no memory left
    stack.redis.config_set("maxmemory", "0")
    after = stack.submit("0")
    stack.wait_ended(after, timeout=CONSUMES_S)
    wait_kept(stack)
    assert worker.process.poll() is None
    assert {stack.get(job_id).attempts for job_id in stack.accepted} == {1}


def test_12_twenty_reconnections_leak_no_descriptors(stack: Stack) -> None:
    worker = stack.start_worker()
    assert stack.api is not None
    processes = [psutil.Process(worker.process.pid), *psutil.Process(stack.api.pid).children()]

    def descriptors() -> list[int]:
        ids = [stack.submit("0.5") for _ in range(8)]
        stack.watch(ids[0], 5)
        stack.wait_ended(*ids)
        time.sleep(2)
        return [process.num_fds() for process in processes]

    # Pools keep as many connections as were ever used at a time, to Redis and to S3, and end growing at some time; what
    # leaks with a reconnection grows with each twenty of them.
    hang_up(stack)
    counts = [descriptors()]
    while len(counts) <= WINDOWS:
        for _ in range(20):
            hang_up(stack)
            stack.wait_ended(stack.submit("0"))
        counts.append(descriptors())
        if all(late - early <= 2 for early, late in zip(*counts[-2:], strict=True)):
            break
    else:
        pytest.fail(f"twenty reconnections always leave more descriptors open: {counts}")
    wait_kept(stack)
