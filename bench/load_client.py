"""Many HTTP/1.1 connections from one process: a client that costs little compared to the server that it measures."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, cast

Request = Callable[[], bytes]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
SHED = 503
_NO_BODY = (204, 304)
_CONNECTS_AT_ONCE = 64


@dataclass
class Sample:
    """What some connections measured in some seconds."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    """Of the responses that were not shed."""
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    """Lost connections by reason."""

    @property
    def rate(self) -> float:
        """Responses a second, without those shed."""
        return len(self.latencies_ms) / self.seconds

    def errors(self, *good: int) -> int:
        """Responses of another status, and lost connections."""
        return sum(count for status, count in self.statuses.items() if status not in good) + self.broken.total()


class Connection(asyncio.Protocol):
    """Sends one request at a time and finds the end of its response."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._needed = 0  # bytes of the response, head and body; 0 while its head isn't all there
        self._status = 0
        self.running = False

    def responded(self, status: int, head: bytes) -> None:
        """Called with each whole response; `head` may hold the start of its body, too."""

    def broke(self, reason: str) -> None:
        """Called when the connection was lost while it ran."""

    def stop(self) -> None:
        """Closes the connection."""
        self.running = False
        if self._transport is not None:
            self._transport.abort()

    def send(self, request: bytes) -> None:
        """Sends a request; the one before has been responded to."""
        assert self._transport is not None
        self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._needed:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._status = int(self._buffer[9:12])
            length = _LENGTH.search(self._buffer, 0, end)
            body = 0 if length is None or self._status in _NO_BODY else int(length[1])
            self._needed = end + 4 + body
        if len(self._buffer) >= self._needed:
            head = bytes(self._buffer[: self._needed])
            del self._buffer[: self._needed]
            self._needed = 0
            if self.running:
                self.responded(self._status, head)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.running:
            self.running = False
            self.broke(type(exc).__name__ if exc else "closed")


class _Busy(Connection):
    """Sends the next request after each response: a closed loop."""

    def __init__(self, request: Request, sample: Sample) -> None:
        super().__init__()
        self._request = request
        self._sample = sample
        self._began = 0.0

    def start(self) -> None:
        self.running = True
        self._next()

    def responded(self, status: int, head: bytes) -> None:  # noqa: ARG002
        if status != SHED:
            self._sample.latencies_ms.append(1000 * (time.perf_counter() - self._began))
        self._sample.statuses[status] += 1
        self._next()

    def broke(self, reason: str) -> None:
        self._sample.broken[reason] += 1

    def _next(self) -> None:
        self._began = time.perf_counter()
        self.send(self._request())


_Any = TypeVar("_Any", bound=Connection)


async def connect(port: int, makers: Sequence[Callable[[], _Any]]) -> list[_Any]:
    """One connection to 127.0.0.1:`port` a maker."""
    loop = asyncio.get_running_loop()
    connections: list[_Any] = []
    for at in range(0, len(makers), _CONNECTS_AT_ONCE):
        made = await asyncio.gather(
            *(loop.create_connection(maker, "127.0.0.1", port) for maker in makers[at : at + _CONNECTS_AT_ONCE])
        )
        connections += [protocol for _, protocol in made]
    return connections


def drive(
    port: int, requests: dict[str, tuple[int, Request]], seconds: float, begin: Callable[[], None] = lambda: None
) -> dict[str, Sample]:
    """Keeps connections to 127.0.0.1:`port` busy for `seconds` twice, and measures the second time.

    Args:
        requests: by name, the number of connections, and what makes each next request on them (head and body).
        begin: called when the second time begins.

    Returns:
        By name, what those connections measured.
    """
    return asyncio.run(_drive(port, requests, seconds, begin))


async def _drive(
    port: int, requests: dict[str, tuple[int, Request]], seconds: float, begin: Callable[[], None]
) -> dict[str, Sample]:
    samples = {name: Sample() for name in requests}
    makers = [
        partial(_Busy, request, samples[name]) for name, (count, request) in requests.items() for _ in range(count)
    ]
    connections = await connect(port, makers)
    for connection in connections:
        connection.start()
    await asyncio.sleep(seconds)
    for sample in samples.values():
        sample.latencies_ms.clear()
        sample.statuses.clear()
    begin()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    for connection in connections:
        connection.stop()
    for sample in samples.values():
        sample.seconds = took
    return samples
