"""The open loop of bench/load.py: requests on a schedule, however long the server takes.

Each client has a schedule of its own, and latency is counted from the moment at which a request was due, also where the
previous response hadn't arrived by then. So a stalled server is charged for every request that was due meanwhile (Gil
Tene's coordinated omission).
"""

import asyncio
import random
import re
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from load_client import SHED, Connection, Request, connect

SUBMITS_PER_S = 25.0
SUBMITTERS = 50
PROBING = 200  # connections that poll without a pause, to find what the server can carry
CARRIED = 0.8  # of the capacity: at full load, a queue has no bound
TWICE = 2.0
SETTLES_S = 5.0  # before measuring, in which an overload begins
ENDS_S = 10.0  # for the last responses

_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_OVERLOADED = re.compile(rb'"code":"overloaded"')


@dataclass
class Tally:
    """What clients measured, of the requests that were due in the measured time."""

    begins: float = float("inf")
    """On the loop's clock."""
    ends: float = float("inf")
    served_ms: list[float] = field(default_factory=list)
    """Since the request was due."""
    shed_ms: list[float] = field(default_factory=list)
    """Since the request was due."""
    shed_since_sent_ms: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    """The clients' own delay between due and sent."""
    errors: Counter[str] = field(default_factory=Counter)

    def measures(self, due: float) -> bool:
        """Whether a request that was due then counts."""
        return self.begins <= due < self.ends


@dataclass(frozen=True)
class Group:
    """Clients that do the same thing."""

    count: int
    request: Request
    good: int
    """The status of success."""
    pause_s: float
    """Between two requests of one client; 0: as soon as it has its response."""
    respects_retry_after: bool
    """Whether it waits for as long as Retry-After says, if that is longer."""


class _Client(Connection):
    def __init__(self, group: Group, tally: Tally) -> None:
        super().__init__()
        self._group = group
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._sent = 0.0
        self.due = 0.0

    def start(self) -> None:
        self.running = True
        self.due = self._loop.time() + random.random() * self._group.pause_s
        self._loop.call_at(self.due, self._send_due)

    def unserved(self, now: float) -> int:
        """Requests that were due in the measured time and have no response."""
        tally, pause_s = self._tally, self._group.pause_s
        count, due = 0, self.due
        while pause_s and due < min(now, tally.ends):
            count += tally.measures(due)
            due += pause_s
        return count

    def responded(self, status: int, head: bytes) -> None:
        now = self._loop.time()
        if self._tally.measures(self.due):
            self._count(status, head, now)
        pause_s = self._group.pause_s
        if self._group.respects_retry_after and (asked := _RETRY_AFTER.search(head)):
            pause_s = max(pause_s, int(asked[1]))
        self.due = self.due + pause_s if pause_s else now
        if self.due >= self._tally.ends:
            return
        if self.due > now:
            self._loop.call_at(self.due, self._send_due)
        else:
            self._send_now(now)

    def broke(self, reason: str) -> None:
        self._tally.errors[reason] += 1

    def _send_due(self) -> None:
        now = self._loop.time()
        if self._tally.measures(self.due):
            self._tally.lag_ms.append(1000 * (now - self.due))
        if self.running:
            self._send_now(now)

    def _send_now(self, now: float) -> None:
        self._sent = now
        self.send(self._group.request())

    def _count(self, status: int, head: bytes, now: float) -> None:
        waited_ms = 1000 * (now - self.due)
        if status == self._group.good:
            self._tally.served_ms.append(waited_ms)
        elif status == SHED and _OVERLOADED.search(head) and _RETRY_AFTER.search(head):
            self._tally.shed_ms.append(waited_ms)
            self._tally.shed_since_sent_ms.append(1000 * (now - self._sent))
        else:
            self._tally.errors[str(status)] += 1


async def _run(port: int, groups: dict[str, Group], seconds: float) -> dict[str, Tally]:
    tallies = {name: Tally() for name in groups}
    makers = [partial(_Client, group, tallies[name]) for name, group in groups.items() for _ in range(group.count)]
    clients = await connect(port, makers)
    for client in clients:
        client.start()
    begins = asyncio.get_running_loop().time() + SETTLES_S
    for tally in tallies.values():
        tally.begins, tally.ends = begins, begins + seconds
    await asyncio.sleep(SETTLES_S + seconds)
    deadline = time.monotonic() + ENDS_S
    while time.monotonic() < deadline and any(client.running and client.due < begins + seconds for client in clients):
        await asyncio.sleep(0.1)
    for client in clients:
        client.stop()
        client._tally.errors["unserved"] += client.unserved(begins + seconds)
    return tallies


def _percentiles(values: list[float]) -> tuple[int, int]:
    """The median and the 99th percentile."""
    found = statistics.quantiles(2 * (values or [0.0]), n=100)  # which needs two values
    return round(found[49]), round(found[98])


def _figures(tallies: dict[str, Tally], seconds: float) -> dict[str, object]:
    everything = tallies.values()
    served = [ms for tally in everything for ms in tally.served_ms]
    shed = [ms for tally in everything for ms in tally.shed_ms]
    since_sent = [ms for tally in everything for ms in tally.shed_since_sent_ms]
    errors = sum((tally.errors for tally in everything), Counter[str]())
    p50, p99 = _percentiles(served)
    return {
        "served_per_s": round(len(served) / seconds),
        "shed_per_s": round(len(shed) / seconds),
        "p50_ms": p50,
        "p99_ms": p99,
        "submit_p99_ms": _percentiles(tallies["submit"].served_ms)[1],
        "submits_shed": len(tallies["submit"].shed_ms),
        "shed_p50_ms": _percentiles(shed)[0],
        "shed_p99_ms": _percentiles(shed)[1],
        "shed_p99_since_sent_ms": _percentiles(since_sent)[1],
        "client_lag_p99_ms": _percentiles([ms for tally in everything for ms in tally.lag_ms])[1],
        "errors": errors.total(),
        "errors_by_kind": dict(errors),
    }


def open_loop(
    ports: dict[str, int], poll: Request, submit: Request, clients: int, seconds: float
) -> dict[str, dict[str, object]]:
    """Measures the capacity of the server (`unshed`), then a load below it and twice it (`ours`).

    Below capacity, clients respect Retry-After; at twice the capacity they don't, so that the load lasts.

    Returns:
        By phase (`capacity`, `carried`, `twice`), its figures.
    """
    submits = Group(SUBMITTERS, submit, 202, SUBMITTERS / SUBMITS_PER_S, respects_retry_after=False)
    found = {}

    def phase(name: str, server: str, polls: Group, lasts_s: float) -> None:
        tallies = asyncio.run(_run(ports[server], {"poll": polls, "submit": submits}, lasts_s))
        found[name] = _figures(tallies, lasts_s)
        print(f"{name}: {found[name]}", flush=True)

    phase("capacity", "unshed", Group(PROBING, poll, 200, 0.0, respects_retry_after=False), seconds / 4)
    capacity = float(str(found["capacity"]["served_per_s"]))
    for name, share in (("carried", CARRIED), ("twice", TWICE)):
        polls_per_s = max(share * capacity - SUBMITS_PER_S, 1.0)
        phase(name, "ours", Group(clients, poll, 200, clients / polls_per_s, respects_retry_after=share < 1), seconds)
    return found
