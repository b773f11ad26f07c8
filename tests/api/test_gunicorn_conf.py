"""The app behind a real server: held requests, limits on the wire, starting and stopping."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from riffusion.jobs.store import JobStore
from tests.api.conftest import LiveServer, serve
from tests.conftest import ValkeyServer, wait_until


def events(response: httpx.Response) -> Iterator[str]:
    """The status in each event of a stream."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield line.partition('"status":"')[2].partition('"')[0]


def test_a_stream_arrives_event_by_event(live: LiveServer) -> None:
    worker = live.worker()
    path = live.submit()
    with httpx.stream("GET", f"{path}/events", timeout=60) as response:
        statuses = events(response)
        assert next(statuses) == "queued"
        record = worker.claim()
        assert next(statuses) == "running"
        worker.succeed(record)
        assert list(statuses) == ["succeeded"]


def test_a_long_poll_ends_with_a_change_in_another_process(live: LiveServer) -> None:
    worker = live.worker()
    path = live.submit()
    tag = httpx.get(path).headers["ETag"]
    claim = threading.Timer(0.3, worker.claim)
    claim.start()
    response = httpx.get(path, headers={"If-None-Match": tag, "Prefer": "wait=50"}, timeout=60)
    claim.join()
    assert (response.status_code, response.json()["status"]) == (200, "running")


def test_held_requests_leave_connections_for_others(live: LiveServer) -> None:
    path = live.submit()
    limit = LiveServer.WORKERS * LiveServer.CONNECTIONS // 2
    with ExitStack() as open_streams:
        for _ in range(limit + 8):
            response = open_streams.enter_context(httpx.stream("GET", f"{path}/events", timeout=60))
            assert next(events(response)) == "queued"  # also beyond the limit, at once
        assert 1 <= _held(live) <= limit
        for _ in range(4):
            assert httpx.get(path, timeout=60).json()["status"] == "queued"
    httpx.post(f"{path}/cancel", timeout=30)
    wait_until(lambda: _held(live) == 0, message="places were not given back")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_on_the_wire(live: LiveServer, chunked: bool) -> None:
    body = b" " * (live.settings.max_body_bytes + (1 << 20))
    content = iter([body]) if chunked else body
    response = httpx.post(f"{live.url}/jobs", content=content, headers={"Content-Type": "application/json"}, timeout=60)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_the_api_replaces_lost_wake_ups(live: LiveServer) -> None:
    live.worker()
    live.submit()
    redis = JobStore.connect(live.settings).redis
    redis.delete("riffusion.tiny")
    wait_until(lambda: redis.llen("riffusion.tiny"), message="no reaper runs in the API")


def test_stopping_ends_held_requests_and_deletes_temporary_files(valkey: ValkeyServer, tmp_path: Path) -> None:
    with serve(valkey, tmp_path) as server:
        path = server.submit()
        with httpx.stream("GET", f"{path}/events", timeout=60) as response:
            statuses = events(response)
            assert next(statuses) == "queued"
            assert list(tmp_path.glob("riffusion-api-*"))
            server.process.terminate()
            assert list(statuses) == []  # ended as a stream should, not cut off
        server.process.wait(60)
    assert not list(tmp_path.glob("riffusion-api-*"))
    assert "Warning" not in server.log.read_text()  # gevent's, for example, where it replaces classes too late


def _held(live: LiveServer) -> float:
    lines = httpx.get(f"{live.url}/metrics", timeout=60).text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("riffusion_http_held_requests "))
