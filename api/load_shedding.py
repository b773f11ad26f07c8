"""Load shedding: an overloaded process refuses what it can't serve in time, early and cheaply.

A request waits while the event loop is busy with others, so the loop's delay measures how overloaded a process is:
requests that merely wait (long-polls, event streams, slow clients, Redis) don't add to it. As in CoDel (Nichols and
Jacobson 2012), only a standing delay counts, not a burst that is served within `INTERVAL_S` (docs/decisions/0074).
"""

import random
import resource
import time
from typing import Any, Protocol

import gevent
import structlog
from gevent.hub import get_hub

LATE_S = 0.2  # a loop with a longer delay throughout INTERVAL_S is overloaded
TARGET_S = 0.05  # the delay that shedding reduces an overloaded loop's to
INTERVAL_S = 1.0
RECOVERY_S = 10.0  # without a delay beyond TARGET_S, after which an overload ends: detecting another takes INTERVAL_S
MIN_SLEEP_S = 0.0002  # a poll for events that takes longer has slept, where the system doesn't count sleeps
MAX_RETRY_S = 30

NEVER_SHED = frozenset({"/healthz"})
_ASSETS = "/assets/"  # neither are these: browsers don't repeat a refused script, and its page would do nothing
_SHED_LAST = frozenset({"/metrics", "/readyz"})
_USAGE = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
_READS = frozenset({"GET", "HEAD"})


class Responder(Protocol):
    """Sends the response to a request that is shed."""

    def send(self, req: Any, sock: Any, cfg: Any, retry_after_s: int) -> None:
        """Sends the response.

        Raises:
            StopIteration: the connection can't be used again.
        """


def sleeps() -> int:
    """How often this thread has slept; 0 where the system doesn't count.

    These are voluntary context switches: on a busy machine a poll may take long without a sleep, because others had the
    processor.
    """
    return resource.getrusage(_USAGE).ru_nvcsw


class LoopDelay:
    """How long an event may have waited for the event loop before it is handled.

    A turn of the loop handles what became ready during the turn before. So the longest wait of any event of this turn
    began with the turn before, or with this one if the loop slept until an event was ready.
    """

    def __init__(self) -> None:
        self._since = self._began = self._polled = time.monotonic()
        self._sleeps = sleeps()
        self._refusing = self._refusing_before = 0.0  # seconds of refusals since `_since`, and before this turn

    def poll(self) -> None:
        """Called before the loop polls for events, and sleeps if there is none."""
        self._polled, self._sleeps = time.monotonic(), sleeps()

    def turn(self, now: float) -> float:
        """Called after the poll; returns the longest wait of any event that was found, in seconds."""
        slept = sleeps() > self._sleeps if self._sleeps else now - self._polled > MIN_SLEEP_S
        self._since = now if slept else self._began
        self._refusing_before = self._refusing = 0.0 if slept else self._refusing - self._refusing_before
        self._began = now
        return now - self._since

    def refused(self, seconds: float) -> None:
        """Counts time of this turn that a refusal took."""
        self._refusing += seconds

    def longest(self, now: float) -> float:
        """The longest possible wait of an event that is handled now, in seconds."""
        return now - self._since

    def longest_for_work(self, now: float) -> float:
        """The same without refusals: if their time counted, a flood of them would let no request through."""
        return now - self._since - self._refusing


class Overload:
    """Whether the delay is a standing one: it exceeds its bound repeatedly, with no turn on time in between."""

    def __init__(self) -> None:
        self.active = False
        self._since: float | None = None  # when the delay first exceeded the bound
        self._last_late = 0.0

    @property
    def bound_s(self) -> float:
        """The delay that is still on time."""
        return TARGET_S if self.active else LATE_S

    def lasted_s(self, now: float) -> float:
        """How long the delay has lasted, in seconds."""
        return 0.0 if self._since is None else now - self._since

    def late(self, now: float) -> None:
        """Notes a delay that exceeds the bound."""
        self._last_late = now
        if self._since is None:
            self._since = now
        elif not self.active and now - self._since > INTERVAL_S:
            self.active = True
            _log("overloaded")

    def on_time(self, now: float) -> None:
        """Notes a turn without such a delay. An overload ends only after RECOVERY_S, as shedding causes such turns."""
        if self.active and now - self._last_late <= RECOVERY_S:
            return
        if self.active:
            _log("overload ended", seconds=round(self.lasted_s(now), 1))
        self.active = False
        self._since = None


class Shedding:
    """Decides which requests of a process are refused. For the thread of its event loop only."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._delay = LoopDelay()
        self._overload = Overload()
        self._watchers: list[Any] = []

    def watch(self) -> None:
        """Starts to observe the turns of this thread's gevent loop."""
        loop = get_hub().loop
        # The lowest priority runs last, after the callback in which gevent starts greenlets.
        self._watchers = [loop.prepare(ref=False, priority=loop.MINPRI), loop.check(ref=False)]
        for watcher, callback in zip(self._watchers, (self._delay.poll, self._turn), strict=True):
            watcher.start(callback)

    def sheds(self, req: Any, sock: Any, cfg: Any) -> bool:
        """Refuses a request that can't be served in time. False if it should be served."""
        now = time.monotonic()
        if self._delay.longest(now) > self._overload.bound_s:
            self._overload.late(now)
        if not self._overload.active or req.path in NEVER_SHED or req.path.startswith(_ASSETS):
            return False
        polls = req.method in _READS and req.path not in _SHED_LAST  # which are cheap to repeat
        if self._delay.longest_for_work(now) <= (TARGET_S if polls else LATE_S):
            return False
        try:
            self._responder.send(req, sock, cfg, self._retry_after_s(now))
        finally:
            self._delay.refused(2 * (time.monotonic() - now))  # reading it took about as long
        gevent.sleep(0)  # or a connection with another request ready would go before all others
        return True

    def _turn(self) -> None:
        now = time.monotonic()
        if self._delay.turn(now) > self._overload.bound_s:
            self._overload.late(now)
        else:
            self._overload.on_time(now)

    def _retry_after_s(self, now: float) -> int:
        """Random, so that clients don't return together, and later the longer the overload lasts."""
        return random.randint(1, min(2 + int(self._overload.lasted_s(now)), MAX_RETRY_S))  # noqa: S311 - no secret


def _log(event: str, **fields: float) -> None:
    gevent.spawn(structlog.get_logger().warning, event, **fields)  # a callback of the loop must not block
