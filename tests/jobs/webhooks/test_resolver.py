"""How long a name may take, and how many may take long."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from riffusion.jobs.webhooks import resolver
from riffusion.jobs.webhooks.resolver import Resolver
from tests.conftest import wait_until


class Silence:
    """What the system's resolver does about a name whose name servers don't respond; other threads' names resolve."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self._over = threading.Event()
        self._getaddrinfo = socket.getaddrinfo

    def getaddrinfo(self, host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        if not host.endswith(".example"):
            return self._getaddrinfo(host, port, *rest, **options)
        if host == "good.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]
        self.waiting.append(host)
        self._over.wait(60)
        self.waiting.remove(host)
        raise socket.gaierror("no name server responds")

    def end(self) -> None:
        self._over.set()


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silence]:
    made = Silence()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.end()


def time_out(resolves: Resolver, owner: str, names: int) -> None:
    """Asks for names at once; for none there is a result."""

    def ask(number: int) -> None:
        with pytest.raises(TimeoutError):
            resolves.resolve(owner, f"a{number}.silent.example", 443)

    with ThreadPoolExecutor(names) as pool:
        list(pool.map(ask, range(names)))


def test_a_name_resolves(silence: Silence) -> None:
    assert Resolver().resolve("a", "good.example", 443) == ["192.0.2.1"]
    assert silence.waiting == []


def test_an_owners_names_that_hang_are_few(silence: Silence) -> None:
    resolves = Resolver(0.3)
    time_out(resolves, "a", 10)
    time_out(resolves, "a", 10)  # those before still hang
    assert len(silence.waiting) == resolver.PER_OWNER
    assert resolves.resolve("b", "good.example", 443) == ["192.0.2.1"]


def test_all_that_hang_are_bounded(silence: Silence) -> None:
    resolves = Resolver(0.3)
    for number in range(resolver.MAX_THREADS):
        time_out(resolves, f"owner{number}", 2)
    assert len(silence.waiting) == resolver.MAX_THREADS


def test_what_hung_gives_its_place_back(silence: Silence) -> None:
    resolves = Resolver(0.3)
    time_out(resolves, "a", 10)
    silence.end()
    wait_until(lambda: not silence.waiting)
    for _ in range(3 * resolver.MAX_THREADS):
        assert resolves.resolve("a", "good.example", 443) == ["192.0.2.1"]


def test_a_name_that_does_not_exist(silence: Silence) -> None:
    silence.end()
    resolves = Resolver()
    for _ in range(3 * resolver.MAX_THREADS):
        with pytest.raises(socket.gaierror):
            resolves.resolve("a", "unknown.example", 443)
