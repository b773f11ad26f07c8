"""Many HTTP/1.1 connections from one process: a client that costs little beside the server it measures."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

Request = Callable[[], bytes]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_NO_BODY = (204, 304)
_CONNECTS_AT_ONCE = 64


@dataclass
class Sample:
    """What some connections saw in some seconds."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)  # why connections were lost

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_ms) / self.seconds

    def errors(self, *good: int) -> int:
        """Answers of another status, and connections that broke."""
        return sum(count for status, count in self.statuses.items() if status not in good) + self.broken.total()


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its whole answer, sends the next: until it is told to stop."""

    def __init__(self, request: Request, sample: Sample) -> None:
        self._request = request
        self._sample = sample
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._needed = 0  # bytes of the answer, head and body; 0 while its head isn't all there
        self._status = 0
        self._began = 0.0
        self.running = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def start(self) -> None:
        self.running = True
        self._send()

    def stop(self) -> None:
        self.running = False
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        assert self._transport is not None
        self._began = time.perf_counter()
        self._transport.write(self._request())

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
            if self.running:
                self._sample.latencies_ms.append(1000 * (time.perf_counter() - self._began))
                self._sample.statuses[self._status] += 1
            del self._buffer[: self._needed]
            self._needed = 0
            if self.running:
                self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.running:
            self._sample.broken[type(exc).__name__ if exc else "closed"] += 1
            self.running = False


def drive(
    port: int, requests: dict[str, tuple[int, Request]], seconds: float, begin: Callable[[], None] = lambda: None
) -> dict[str, Sample]:
    """Keeps connections to 127.0.0.1:`port` busy for `seconds` twice, and looks at the second time.

    Args:
        requests: by name, the number of connections, and what makes each next request on them (head and body).
        begin: called when the second time begins.

    Returns:
        By name, what those connections saw.
    """
    return asyncio.run(_drive(port, requests, seconds, begin))


async def _drive(
    port: int, requests: dict[str, tuple[int, Request]], seconds: float, begin: Callable[[], None]
) -> dict[str, Sample]:
    loop = asyncio.get_running_loop()
    samples = {name: Sample() for name in requests}
    makers = [
        (lambda request=request, name=name: _Connection(request, samples[name]))
        for name, (count, request) in requests.items()
        for _ in range(count)
    ]
    connections: list[_Connection] = []
    for at in range(0, len(makers), _CONNECTS_AT_ONCE):
        made = await asyncio.gather(
            *(loop.create_connection(maker, "127.0.0.1", port) for maker in makers[at : at + _CONNECTS_AT_ONCE])
        )
        connections += [protocol for _, protocol in made]
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
