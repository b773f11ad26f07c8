"""Where a POST to a stranger's address goes, and how long it may take."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpcore
import pytest

from riffusion.jobs.webhooks.sender import Undelivered, post
from tests.jobs.webhooks.conftest import NAME, Receiver, http_response

PUBLIC, INSIDE = "93.184.216.34", "127.0.0.1"


class Wire(httpcore.NetworkBackend):
    """Records the addresses that it should connect to, and connects to this machine."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.NetworkStream:
        self.asked.append(host)
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", port, timeout)


def resolver(*addresses: list[str]) -> Callable[[str, int], list[str]]:
    """A name server that says something else each time, the last again and again."""
    left = list(addresses)
    return lambda _host, _port: left.pop(0) if len(left) > 1 else left[0]


def at(receiver: Receiver, host: str = NAME, scheme: str = "http") -> str:
    return f"{scheme}://{host}:{receiver.port}/hook?a=b"


def test_it_arrives(receiver: Receiver) -> None:
    wire = Wire()
    assert post(at(receiver), {"webhook-id": "1"}, b'{"a": 1}', resolve=resolver([PUBLIC]), backend=wire) == 200
    assert receiver.seen[0].startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert receiver.body() == b'{"a": 1}'
    headers = receiver.headers()
    assert (headers["host"], headers["webhook-id"]) == (f"{NAME}:{receiver.port}", "1")
    assert (headers["content-type"], headers["connection"]) == ("application/json", "close")
    assert wire.asked == [PUBLIC]


@pytest.mark.parametrize(
    "found", [[INSIDE], [PUBLIC, INSIDE], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"]]
)
def test_nothing_is_sent_inside(receiver: Receiver, found: list[str]) -> None:
    wire = Wire()
    with pytest.raises(Undelivered, match="isn't public"):
        post(at(receiver), {}, b"", resolve=resolver(found), backend=wire)
    assert (wire.asked, receiver.connections) == ([], 0)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "[::ffff:7f00:1]"]
)
def test_no_spelling_of_this_machine_gets_through(receiver: Receiver, host: str) -> None:
    with pytest.raises(Undelivered, match=r"isn't public|unknown"):
        post(at(receiver, host), {}, b"")
    assert receiver.connections == 0


def test_a_name_that_changes_its_mind_gains_nothing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is looked at, this machine a moment later."""
    addresses = iter([PUBLIC])

    def rebinding(host: str, port: int, *_: object, **__: object) -> list[Any]:
        address = next(addresses, INSIDE) if host == NAME else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    wire = Wire()
    post(at(receiver), {}, b"", backend=wire)
    assert wire.asked == [PUBLIC]  # the address that was checked, never the name
    with pytest.raises(Undelivered, match="isn't public"):
        post(at(receiver), {}, b"", backend=wire)


def test_the_next_address_is_tried(receiver: Receiver) -> None:
    class FirstIsDown(Wire):
        def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
            if not self.asked:
                self.asked.append(host)
                raise httpcore.ConnectError("refused")
            return super().connect_tcp(host, port, *args, **kwargs)

    wire = FirstIsDown()
    assert post(at(receiver), {}, b"", resolve=resolver(["1.1.1.1", PUBLIC]), backend=wire) == 200
    assert wire.asked == ["1.1.1.1", PUBLIC]


def test_certificates_are_those_of_the_name(tls_receiver: Receiver, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    send = {"resolve": resolver([PUBLIC]), "backend": Wire(), "tls": trusting}
    assert post(at(tls_receiver, scheme="https"), {}, b"", **send) == 200  # type: ignore[arg-type]
    assert tls_receiver.names == [NAME]
    assert tls_receiver.headers()["host"] == f"{NAME}:{tls_receiver.port}"
    with pytest.raises(Undelivered, match="certificate"):
        post(at(tls_receiver, "other.example", "https"), {}, b"", **send)  # type: ignore[arg-type]


def test_a_certificate_of_an_unknown_authority_is_refused(tls_receiver: Receiver) -> None:
    with pytest.raises(Undelivered, match="certificate"):
        post(at(tls_receiver, scheme="https"), {}, b"", resolve=resolver([PUBLIC]), backend=Wire())
    assert tls_receiver.seen == []


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.responses = [http_response(307, f"Location: {receiver.url}")]
    assert post(receiver.url, {}, b"", anywhere=True) == 307
    assert receiver.connections == 1


def test_no_proxy_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(receiver.url, {}, b"", anywhere=True) == 200


def endless_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connection.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())


def test_silence_has_a_deadline(receiver: Receiver) -> None:
    receiver.responses = [lambda _: time.sleep(2)]
    with pytest.raises(Undelivered, match=r"within 0\.5 s"):
        post(receiver.url, {}, b"", anywhere=True, limit_s=0.5)


def test_a_response_that_never_ends_has_the_same_deadline(receiver: Receiver) -> None:
    """A byte at a time, each of which comes in time."""
    sent: list[int] = []
    cut = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            for number in range(300):
                connection.sendall(b"x")
                sent.append(number)
                time.sleep(0.05)
        except OSError:
            cut.set()

    receiver.responses = [drip]
    with pytest.raises(Undelivered, match=r"within 0\.5 s"):
        post(receiver.url, {}, b"", anywhere=True, limit_s=0.5)
    assert cut.wait(60)
    assert len(sent) < 100


def test_a_response_that_is_always_about_to_come_is_cut_off(receiver: Receiver) -> None:
    """As fast as it is read: gevent would never serve another connection, nor a timer."""

    def continues(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    receiver.responses = [continues]
    with pytest.raises(Undelivered, match="longer than 64 KiB"):
        post(receiver.url, {}, b"", anywhere=True)


@pytest.mark.parametrize("patch", ["", "from gevent import monkey; monkey.patch_all()"], ids=["threads", "gevent"])
def test_a_tls_handshake_that_never_ends_has_the_same_deadline(patch: str) -> None:
    """A byte at a time; gevent's time-outs begin again with each."""
    cut = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"\x16\x03\x03\x40\x00")  # the head of a record of 16 KiB
            for _ in range(200):
                connection.sendall(b"x")
                time.sleep(0.05)
            return
        cut.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        send = f"from riffusion.jobs.webhooks.sender import post; post({url!r}, {{}}, b'', anywhere=True, limit_s=0.5)"
        command = [sys.executable, "-c", f"{patch}\n{send}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert "There was no response within 0.5 s." in done.stderr
    assert cut.wait(30)


def test_a_body_is_not_read(receiver: Receiver) -> None:
    cut = threading.Event()

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            for _ in range(1024):
                connection.sendall(bytes(1 << 20))
        except OSError:
            cut.set()

    receiver.responses = [flood]
    assert post(receiver.url, {}, b"", anywhere=True) == 200
    assert cut.wait(60)


@pytest.mark.parametrize("strange", [endless_head, b"SSH-2.0-OpenSSH\r\n", b"", http_response(99999)])
def test_a_malformed_response_counts_as_none(
    receiver: Receiver, strange: bytes | Callable[[socket.socket], None]
) -> None:
    receiver.responses = [strange]
    with pytest.raises(Undelivered):
        post(receiver.url, {}, b"", anywhere=True)


def test_a_port_without_a_server() -> None:
    with pytest.raises(Undelivered, match="There was no response"):
        post("http://127.0.0.1:1/", {}, b"", anywhere=True)


def test_a_name_that_does_not_exist() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("unknown")

    with pytest.raises(Undelivered, match="unknown"):
        post("https://nowhere.example/", {}, b"", resolve=unknown)
