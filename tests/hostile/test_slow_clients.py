"""Clients that send half a request, or read half a response, don't keep others from being served."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import gevent
import httpx
import pytest
from werkzeug.exceptions import RequestTimeout

from api.min_rate_reader import MinRateReader
from tests.api.conftest import LiveServer, serve
from tests.conftest import ValkeyServer, wait_until

MANY = 500
POST = b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HALVES = {
    "line": b"GET /jo",
    "head": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "body": POST + b"Content-Length: 99\r\n\r\n{",
    "chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
    "upload": b"POST /uploads HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 99999\r\n\r\n--b\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\nRIFF",
}


@pytest.fixture(scope="module")
def busy(valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with as many connections as a public one has."""
    with serve(valkey_server, tmp_path_factory.mktemp("busy"), connections=2000) as server:
        yield server


def address(server: LiveServer) -> tuple[str, int]:
    return "127.0.0.1", int(server.url.rpartition(":")[2])


def connect(stack: ExitStack, server: LiveServer, sent: bytes) -> socket.socket:
    connection = stack.enter_context(closing(socket.create_connection(address(server), timeout=60)))
    connection.sendall(sent)
    return connection


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("count", [8, MANY])
def test_half_sent_requests_freeze_no_one(busy: LiveServer, half: str, count: int) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            connect(stack, busy, HALVES[half])
        path = busy.submit()
        for _ in range(8):
            assert httpx.get(path, timeout=60).json()["status"] == "queued"
        assert httpx.post(f"{path}/cancel", timeout=60).json()["status"] == "canceled"


def test_unread_streams_freeze_no_one(busy: LiveServer) -> None:
    path = busy.submit()
    request = f"GET {path.removeprefix(busy.url)}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    document = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    with ExitStack() as stack:
        for sent in [request] * MANY + [document] * 64:
            connect(stack, busy, sent)
        # It may be refused while thousands of documents are generated.
        wait_until(lambda: httpx.get(path, timeout=60).is_success, 60)
        httpx.post(f"{path}/cancel", timeout=60)


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /healthz?" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n", 414),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 9000 + b"\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(99)), 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Odd : x\r\n", 400),
        (b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n", 400),
        (b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n", 400),
        (POST + b"Content-Length: 99999999\r\n", 413),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", 200),
    ],
    ids=["line", "field", "fields", "space", "smuggled", "two lengths", "negative", "body", "sound"],
)
def test_heads_and_bodies_are_limited(busy: LiveServer, request_head: bytes, status: int) -> None:
    with ExitStack() as stack:
        response = connect(stack, busy, request_head + b"\r\n").recv(1 << 16)
    assert int(response.split()[1]) == status
    assert b"Traceback" not in response


def test_a_stop_waits_for_no_idle_connection(valkey: ValkeyServer, tmp_path: Path) -> None:
    with ExitStack() as stack, serve(valkey, tmp_path) as server:
        for _ in range(8):
            idle = connect(stack, server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in idle.recv(1 << 16)
            connect(stack, server, HALVES["head"])
        server.process.terminate()
        # Requests may take half a minute; connections without one are closed after two seconds.
        wait_until(lambda: server.process.poll() is not None, timeout=20)


def test_slow_requests_time_out(valkey: ValkeyServer, tmp_path: Path) -> None:
    with ExitStack() as stack, serve(valkey, tmp_path, conf="tests.hostile.short_timeouts_conf") as server:
        for half in ("body", "chunk", "upload"):
            assert connect(stack, server, HALVES[half]).recv(1 << 16).startswith(b"HTTP/1.1 408"), half
        refused = connect(stack, server, HALVES["body"].replace(b"/jobs", b"/nowhere"))  # without its body being read
        assert b"".join(iter(lambda: refused.recv(1 << 16), b"")).count(b"HTTP/1.1 ") == 1
        unread = connect(stack, server, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        time.sleep(4)
        unread.settimeout(20)
        with suppress(ConnectionResetError):
            while unread.recv(1 << 20):  # what was sent before, then the end, which without a timeout never comes
                pass
        assert "Traceback" not in server.log.read_text()


class Trickle:
    """A body that comes a byte at a time, without end."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s

    def read(self, size: int) -> bytes:
        for _ in range(size):
            gevent.sleep(self._pause_s)
        return b"x" * size


def read_all(body: MinRateReader, size: int) -> int:
    return sum(len(body.read(1000)) for _ in range(size // 1000))


def test_a_body_that_trickles_is_refused() -> None:
    closed: list[bool] = []
    with pytest.raises(RequestTimeout, match="slowly"):
        MinRateReader(Trickle(0.01), lambda: closed.append(True), grace_s=0.1, min_rate=1000).read(1000)
    with pytest.raises(RequestTimeout, match="slowly"):
        read_all(MinRateReader(Trickle(0.0), lambda: closed.append(True), grace_s=0.05, min_rate=1e9), 10_000_000)
    assert closed == [True, True]


def test_a_body_at_the_minimum_rate_may_take_long() -> None:
    began = time.monotonic()
    assert read_all(MinRateReader(Trickle(0.0002), pytest.fail, grace_s=30, min_rate=1e-3), 2000) == 2000
    assert time.monotonic() - began > 0.1
