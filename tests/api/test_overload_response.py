"""The response to a shed request: correct HTTP, with the headers and the form of every other problem."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http import get_parser  # type: ignore[import-untyped]

from api.app import create_app
from api.metrics import Metrics
from api.overload_response import OverloadResponse
from riffusion.settings import Settings
from tests.api.conftest import PROBLEM, Client

SITE, OTHER = "https://site.example", "https://other.example"
AGAIN = "GET /again HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire:
    """A connection on which every request is refused, as gunicorn handles one."""

    def __init__(self, response: OverloadResponse) -> None:
        self._client, self._server = socket.socketpair()
        self._client.settimeout(5)
        self._response = response

    def close(self) -> None:
        self._client.close()
        self._server.close()

    def exchange(self, sent: str) -> list[tuple[int, dict[str, str], bytes]]:
        """The responses to everything that is sent, up to where the server closes or the client does."""
        self._client.sendall(sent.encode())
        self._client.shutdown(socket.SHUT_WR)
        parser = get_parser(Config(), self._server, ("127.0.0.1", 1))
        try:
            while req := next(parser):
                self._response.send(req, self._server, Config(), 7)
        except StopIteration:
            pass
        except Exception as error:
            assert type(error).__name__ == "NoMoreData", error  # noqa: PT017
        self._server.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: self._client.recv(1 << 16), b""))
        return list(_responses(received, "HEAD" in sent))


def _responses(received: bytes, bodiless: bool) -> Iterator[tuple[int, dict[str, str], bytes]]:
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = dict(each.split(": ", 1) for each in lines)
        length = 0 if bodiless else int(headers["Content-Length"])
        yield int(line.split()[1]), headers, received[:length]
        received = received[length:]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def exchange(metrics: Metrics) -> Iterator[Callable[..., Any]]:
    """Sends something on a new connection, to a server that shares with these origins."""
    wires = []

    def send(text: str, *origins: str) -> list[tuple[int, dict[str, str], bytes]]:
        wires.append(Wire(OverloadResponse(origins, metrics)))
        return wires[-1].exchange(text)

    yield send
    for wire in wires:
        wire.close()


def test_it_is_a_problem_and_the_connection_stays(exchange: Callable[..., Any], metrics: Metrics) -> None:
    found = exchange("POST /jobs HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nContent-Length: 3\r\n\r\nabc" + AGAIN)
    assert len(found) == 2
    status, headers, body = found[0]
    problem = json.loads(body)
    assert (status, headers["Content-Type"], headers["Connection"]) == (503, PROBLEM, "keep-alive")
    assert (problem["code"], problem["status"], problem["request_id"]) == ("overloaded", 503, "mine")
    assert (headers["Retry-After"], headers["X-Request-Id"]) == ("7", "mine")
    assert found[1][1]["X-Request-Id"] != "mine"
    values = {
        s.labels["method"]: s.value for m in metrics.shed.collect() for s in m.samples if s.name.endswith("total")
    }
    assert values == {"POST": 1.0, "GET": 1.0}


def test_a_malformed_request_id_is_not_returned(exchange: Callable[..., Any]) -> None:
    ((_, headers, body),) = exchange('GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: "},{"\r\n\r\n')
    assert json.loads(body)["request_id"] == headers["X-Request-Id"] != '"},{"'


def test_a_response_to_head_has_no_body(exchange: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    found = exchange("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    assert [(status, body) for status, _, body in found] == [(503, b"")] * 2
    assert not caplog.records  # gunicorn would drop a body, but warn of it each time


@pytest.mark.parametrize(
    "fields",
    ["Content-Length: 99999", "Transfer-Encoding: chunked", "Content-Length: 3\r\nExpect: 100-continue"],
    ids=["large", "chunked", "expected"],
)
def test_an_unread_body_ends_the_connection(exchange: Callable[..., Any], fields: str) -> None:
    ((status, headers, _),) = exchange(f"POST /jobs HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{AGAIN}")
    assert (status, headers["Connection"]) == (503, "close")


@pytest.mark.parametrize("origins", ["", "*", SITE])
@pytest.mark.parametrize("origin", [None, SITE, OTHER])
def test_its_headers_are_those_of_every_problem(
    exchange: Callable[..., Any], settings: Settings, origins: str, origin: str | None
) -> None:
    sent = {"Origin": origin} if origin else {}
    client = Client(create_app(settings.model_copy(update={"cors_origins": origins})))
    usual = dict(client.get("/nothing-here", headers=sent).headers)
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    ((_, headers, _),) = exchange(f"GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n", *origins.split())
    for name in ("Content-Length", "X-Request-Id"):
        del usual[name], headers[name]
    for name in ("Server", "Date", "Connection", "Retry-After"):
        del headers[name]
    assert headers == usual


def test_clients_of_the_original_get_text(exchange: Callable[..., Any]) -> None:
    ((status, headers, body),) = exchange("POST /run_inference/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert (status, headers["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert body.startswith(b"The server is overloaded")
