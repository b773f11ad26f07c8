"""A process under overload: the excess is refused early, the rest is served, and shedding ends with the load."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse

import httpx
import pytest

from tests.api.conftest import PROBLEM, LiveServer, serve
from tests.conftest import ValkeyServer, wait_until

BODY = b"x" * 1000
CLIENTS = 40
BURST = 100


@pytest.fixture(scope="module")
def server(valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The API in one process, with a view that uses as much processor time as requested."""
    folder = tmp_path_factory.mktemp("busy")
    with serve(valkey_server, folder, connections=2000, conf="tests.hostile.busy_view_conf") as server:
        yield server


def connect(server: LiveServer) -> HTTPConnection:
    return HTTPConnection(server.url.removeprefix("http://"), timeout=60)


def shed(server: LiveServer) -> float:
    """How many requests it has refused, by its metrics."""
    text = httpx.get(f"{server.url}/metrics", timeout=60).text
    return sum(
        float(line.split()[1]) for line in text.splitlines() if line.startswith("riffusion_http_shed_requests_t")
    )


@dataclass
class Crowd:
    """Clients that request more than can be served, each on one connection, with a pause after a refusal."""

    server: LiveServer
    served: int = 0
    refused: dict[str, int] = field(default_factory=lambda: {"GET": 0, "POST": 0})
    violations: list[str] = field(default_factory=list)
    retry_after: set[int] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Crowd":
        for number in range(CLIENTS):
            self._threads.append(threading.Thread(target=self._ask, args=("GET" if number % 2 else "POST",)))
            self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, method: str) -> None:
        with closing(connect(self.server)) as connection:
            connection.connect()
            kept = connection.sock
            while not self._over.is_set():
                connection.request(method, "/burn/20", body=BODY if method == "POST" else None)
                response = connection.getresponse()
                self._look(method, response, response.read())
                if connection.sock is not kept:
                    self.violations.append("closed")

    def _look(self, method: str, response: HTTPResponse, body: bytes) -> None:
        if response.status == 200:
            self.served += 1
            return
        problem = json.loads(body)
        if (response.status, response.headers["Content-Type"], problem["code"]) != (503, PROBLEM, "overloaded"):
            self.violations.append(f"{response.status} {body!r}")
        if problem["request_id"] != response.headers["X-Request-Id"]:
            self.violations.append("request id")
        self.retry_after.add(int(response.headers["Retry-After"]))
        self.refused[method] += 1
        self._over.wait(0.2)


def test_the_excess_is_refused_and_the_rest_served(server: LiveServer) -> None:
    before = shed(server)
    with Crowd(server) as crowd, closing(connect(server)) as other:
        wait_until(lambda: min(crowd.refused.values()) > 20, 60, "nothing is refused")
        served = crowd.served
        for _ in range(3):
            other.request("GET", "/healthz")
            response = other.getresponse()
            assert (response.status, response.read()) == (200, b'{"status":"ok"}')
        wait_until(lambda: crowd.served > served + 20, 60, "nothing is served any more")
    assert not crowd.violations
    assert min(crowd.retry_after) >= 1
    assert len(crowd.retry_after) > 1

    def recovered() -> bool:
        return httpx.get(f"{server.url}/burn/1", timeout=60).status_code == 200 and "overload ended" in log(server)

    wait_until(recovered, 60, "the overload doesn't end")
    assert shed(server) - before == sum(crowd.refused.values())


def log(server: LiveServer) -> str:
    return server.log.read_text()


def get_at_once(server: LiveServer, path: str, count: int) -> list[int]:
    """The statuses of requests on as many connections, sent before any response is read."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(connect(server))) for _ in range(count)]
        for connection in connections:
            connection.connect()
        for connection in connections:
            connection.request("GET", path)
        return [connection.getresponse().status for connection in connections]


def test_a_burst_that_is_soon_served_is_no_overload(server: LiveServer) -> None:
    path = server.submit().removeprefix(server.url)
    before = shed(server)
    assert get_at_once(server, path, BURST) == [200] * BURST
    assert shed(server) == before


def test_a_slow_view_is_no_overload(server: LiveServer) -> None:
    path = server.submit().removeprefix(server.url)
    before = shed(server)
    for _ in range(2):
        with closing(connect(server)) as slow:
            slow.request("GET", "/burn/1200")
            assert get_at_once(server, path, 50) == [200] * 50
            assert slow.getresponse().status == 200
    assert shed(server) == before


def test_held_requests_are_no_overload(server: LiveServer) -> None:
    path = server.submit().removeprefix(server.url)
    before = shed(server)
    tag = httpx.get(server.url + path, timeout=60).headers["ETag"]
    held = {"If-None-Match": tag, "Prefer": "wait=60"}
    with ExitStack() as stack:
        for _ in range(BURST):
            stack.enter_context(closing(connect(server))).request("GET", path, headers=held)
        stream = stack.enter_context(httpx.stream("GET", f"{server.url}{path}/events", timeout=60))
        assert stream.status_code == 200
        wait_until(lambda: _held(server) > BURST, message="they are not held")
        for _ in range(30):
            assert httpx.get(server.url + path, timeout=60).status_code == 200
            threading.Event().wait(0.1)
        httpx.post(f"{server.url}{path}/cancel", timeout=60).raise_for_status()
    assert shed(server) == before


def _held(server: LiveServer) -> float:
    lines = httpx.get(f"{server.url}/metrics", timeout=60).text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("riffusion_http_held_requests "))
