"""However malformed a request is, bytes inside or behind it are never read as another: directly and behind nginx."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.api.conftest import PROBLEM, LiveServer, serve
from tests.conftest import ValkeyServer, wait_until
from tests.hostile.smuggling import CHUNKED, CHUNKED_BODIES, CHUNKS, HEADS, get, post, spellings
from tests.nginx import Nginx, needs_nginx

LAST = get(b"Connection: close\r\n")
NOWHERE = b"POST /nowhere HTTP/1.1"
UPLOADS = b"POST /uploads HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n" + CHUNKED + b"\r\n"

Dial = Callable[[], socket.socket]


def smuggled(name: str) -> bytes:
    """A request that only reaches the API when it is smuggled: nginx blocks its address."""
    return f"DELETE /metrics/{re.sub('[^A-Za-z0-9]', '_', name)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def logged(server: LiveServer) -> list[dict[str, str]]:
    """The requests so far that got an error from the API."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "request"]


@pytest.fixture(scope="module")
def server(valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that at the end must have served no smuggled request, and not have failed."""
    with serve(valkey_server, tmp_path_factory.mktemp("smuggling"), trusted_proxies=1) as running:
        yield running
    assert [line["path"] for line in logged(running) if line["path"].startswith("/metrics/")] == []
    assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="module")
def direct(server: LiveServer) -> Dial:
    """Connects to the API."""
    address = urlsplit(server.url)
    return lambda: socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=30)


@pytest.fixture(scope="module")
def behind_nginx(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dial]:
    """Connects to nginx in front of the API."""
    nginx = Nginx.prepare(tmp_path_factory.mktemp("nginx"))
    host, _, port = nginx.site.partition(":")
    trust = nginx.trust
    with nginx.serving(urlsplit(server.url).netloc, "127.0.0.1:1"):
        yield lambda: trust.wrap_socket(socket.create_connection((host, int(port)), timeout=30), server_hostname=host)


def converse(dial: Dial, sent: bytes) -> bytes:
    """Everything that is received until the server closes the connection, which it must."""
    with dial() as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def statuses(response: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) [A-Za-z]", response)]


@pytest.mark.parametrize("name", HEADS)
def test_a_malformed_head_is_refused_and_ends_the_connection(direct: Dial, name: str) -> None:
    request, status = HEADS[name]
    assert statuses(converse(direct, request + smuggled(name) + LAST)) == [status]


@pytest.mark.parametrize("name", CHUNKED_BODIES)
def test_a_broken_chunked_body_is_refused_and_ends_the_connection(direct: Dial, name: str) -> None:
    body = CHUNKED_BODIES[name] + smuggled(name) + LAST
    for head in (post(CHUNKED), UPLOADS):
        response = converse(direct, head + body)
        assert statuses(response) == [400]
        assert f"Content-Type: {PROBLEM}\r\n".encode() in response
        assert b"Connection: close\r\n" in response
    assert statuses(converse(direct, post(CHUNKED, body, NOWHERE))) == [404]  # which no one reads before the response


@pytest.mark.parametrize("size", [b"FFFFFFFFFFFFFFFFF", b"10000000000000002", b"7FFFFFFFFFFFFFFF"])
def test_a_huge_chunk_holds_all_that_follows(direct: Dial, size: bytes) -> None:
    with direct() as connection:
        connection.sendall(post(CHUNKED, size + b"\r\n{}\r\n0\r\n\r\n" + smuggled(size.decode()) + LAST))
        connection.shutdown(socket.SHUT_WR)
        response = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert statuses(response) == [400]


def requests_with_a_body() -> dict[str, tuple[bytes, bytes, int]]:
    """The start of requests whose body is read late, in part or not at all; and their status."""
    large = b" " * ((1 << 20) + 1)
    return {
        "read": (b"POST /jobs HTTP/1.1\r\nContent-Type: application/json\r\n", b"", 400),
        "too large": (b"POST /jobs HTTP/1.1\r\nContent-Type: application/json\r\n", large, 413),
        "another type": (b"POST /jobs HTTP/1.1\r\nContent-Type: text/plain\r\n", b"", 415),
        "unknown key": (b"POST /jobs HTTP/1.1\r\nAuthorization: Bearer no\r\n", b"", 401),
        "no form": (b"POST /uploads HTTP/1.1\r\n", b"", 415),
        "no boundary": (b"POST /uploads HTTP/1.1\r\nContent-Type: multipart/form-data\r\n", b"", 400),
        "no address": (b"POST /nowhere HTTP/1.1\r\n", b"", 404),
        "no method": (b"PUT /jobs HTTP/1.1\r\n", b"", 405),
        "get": (b"GET /healthz HTTP/1.1\r\n", b"", 200),
        "delete": (b"DELETE /jobs/x HTTP/1.1\r\n", b"", 404),
        "cancel": (b"POST /jobs/x/cancel HTTP/1.1\r\n", b"", 404),
        "head": (b"HEAD /healthz HTTP/1.1\r\n", b"", 200),
        "options": (b"OPTIONS /jobs HTTP/1.1\r\n", b"", 200),
        "absolute": (b"GET http://x/healthz HTTP/1.1\r\n", b"", 200),
        "expecting": (b"POST /nowhere HTTP/1.1\r\nExpect: 100-continue\r\n", b"", 404),
        "underscores": (b"POST /nowhere HTTP/1.1\r\nContent_Length: 2\r\nTransfer_Encoding: chunked\r\n", b"", 404),
        "script": (b"GET /healthz HTTP/1.1\r\nSCRIPT_NAME: /x\r\nPATH_INFO: /metrics\r\n", b"", 200),
    }


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("name", requests_with_a_body())
@pytest.mark.parametrize("door", ["direct", pytest.param("behind_nginx", marks=needs_nginx)])
def test_a_body_stays_a_body_however_it_is_read(
    request: pytest.FixtureRequest, door: str, name: str, chunked: bool
) -> None:
    dial: Dial = request.getfixturevalue(door)
    start, padding, status = requests_with_a_body()[name]
    body = padding + smuggled(f"{name} {chunked}") * 300
    if chunked:
        framed = CHUNKED + b"\r\n%x\r\n%s\r\n0\r\nX-Trailer: x\r\n\r\n" % (len(body), body)
    else:
        framed = b"Content-Length: %d\r\n\r\n" % len(body) + body
    response = converse(dial, start + b"Host: x\r\n" + framed + LAST)
    assert [each for each in statuses(response) if each != 100] == [status, 200]


def test_a_request_after_a_valid_one_is_served(direct: Dial) -> None:
    control = smuggled("x").replace(b"/metrics/", b"/elsewhere/")
    assert statuses(converse(direct, post(CHUNKED, CHUNKS) + control + LAST)) == [422, 404, 200]


@needs_nginx
@pytest.mark.parametrize("name", [*HEADS, *CHUNKED_BODIES])
def test_nothing_is_smuggled_past_nginx(behind_nginx: Dial, name: str) -> None:
    request = HEADS[name][0] if name in HEADS else post(CHUNKED, CHUNKED_BODIES[name])
    with behind_nginx() as connection:
        connection.sendall(request + smuggled(name) + LAST)
        first = statuses(connection.recv(1 << 16))
    assert all(status < 500 or status == 501 for status in first)  # `server` checks the rest


@pytest.mark.parametrize("door", ["direct", pytest.param("behind_nginx", marks=needs_nginx)])
def test_underscores_forge_no_header(request: pytest.FixtureRequest, server: LiveServer, door: str) -> None:
    dial: Dial = request.getfixturevalue(door)
    line = f"GET /forged/{door} HTTP/1.1".encode()
    converse(dial, get(b"X_Forwarded_For: 198.51.100.7\r\nConnection: close\r\n", line))
    wait_until(lambda: [each for each in logged(server) if each["path"] == f"/forged/{door}"])
    [found] = [each["client"] for each in logged(server) if each["path"] == f"/forged/{door}"]
    assert found == "address:127.0.0.1"


@pytest.mark.parametrize(
    "fields",
    [
        b"X-Forwarded-Proto: http\r\nX-Forwarded-Ssl: on\r\n",
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Protocol: http\r\n",
        b"SCRIPT_NAME: /x\r\n",
    ],
)
def test_gunicorn_itself_believes_no_proxy(direct: Dial, fields: bytes) -> None:
    """Not even one on its own machine, which may pass on what clients have written."""
    assert statuses(converse(direct, get(b"Connection: close\r\n" + fields))) == [200]


@needs_nginx
@pytest.mark.parametrize(("name", "shown"), [("metrics", b"riffusion_redis_up"), ("readyz", b'"ready"')])
def test_what_nginx_blocks_it_blocks_in_every_spelling(
    direct: Dial, behind_nginx: Dial, name: str, shown: bytes
) -> None:
    close = b"Connection: close\r\n"
    assert shown in converse(direct, get(close, f"GET /{name} HTTP/1.1".encode()))
    for path in spellings(name):
        assert shown not in converse(behind_nginx, get(close, f"GET {path} HTTP/1.1".encode())), path
        assert shown not in converse(behind_nginx, f"GET {path}\r\n".encode()), path  # HTTP/0.9
