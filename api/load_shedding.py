"""Load shedding: an overloaded process refuses what it can't serve in time, early and cheaply.

A request waits where the event loop is busy with others, so the loop's delay is how overloaded a process is: requests
that merely wait (long-polls, event streams, slow clients, Redis) add nothing to it. As in CoDel (Nichols and Jacobson
2012), what counts is a standing delay: a burst that is served within `INTERVAL_S` is none (docs/decisions/0074).
"""

import random
import resource
import time
from typing import Any, Protocol

import gevent
import structlog
from gevent.hub import get_hub

LATE_S = 0.2  # a loop that is later than this throughout INTERVAL_S is overloaded
TARGET_S = 0.05  # what the delay of an overloaded loop is brought back to
INTERVAL_S = 1.0
CALM_S = 10.0  # without a delay beyond TARGET_S, after which an overload is over: one that comes back costs INTERVAL_S
NAP_S = 0.0002  # a poll for events that takes longer has slept, where the system doesn't say
MAX_RETRY_S = 30

NEVER_SHED = frozenset({"/healthz"})
_SHED_LAST = frozenset({"/metrics", "/readyz"})
_USAGE = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)
_READS = frozenset({"GET", "HEAD"})


class Refusal(Protocol):
    """Sends the response to a request that is shed."""

    def send(self, req: Any, sock: Any, cfg: Any, retry_after_s: int) -> None:
        """Ends the request. Raises StopIteration where the connection can't be used again."""


def sleeps() -> int:
    """How often this thread has waited for something; 0 where the system doesn't count.

    On a busy machine a poll takes long without any sleep: others had the processor. Those switches are counted apart.
    """
    return resource.getrusage(_USAGE).ru_nvcsw


class LoopDelay:
    """How long an event that is being handled may have waited for the event loop.

    A turn of the loop handles what became ready during the turn before. So the longest wait of any event of this turn
    began with the turn before, or with this one if the loop slept until something was ready.
    """

    def __init__(self) -> None:
        self._since = self._began = self._polled = time.monotonic()
        self._sleeps = sleeps()
        self._refusing = self._refusing_before = 0.0  # seconds since `_since`, and of those, before this turn

    def poll(self) -> None:
        """The loop looks for events, and sleeps if there is none."""
        self._polled, self._sleeps = time.monotonic(), sleeps()

    def turn(self, now: float) -> float:
        """The loop has found events; returns the longest wait of any of them so far, in seconds."""
        slept = sleeps() > self._sleeps if self._sleeps else now - self._polled > NAP_S
        self._since = now if slept else self._began
        self._refusing_before = self._refusing = 0.0 if slept else self._refusing - self._refusing_before
        self._began = now
        return now - self._since

    def refused(self, seconds: float) -> None:
        """So much of this turn went into a refusal."""
        self._refusing += seconds

    def longest(self, now: float) -> float:
        """The longest wait of an event that is handled now, in seconds."""
        return now - self._since

    def longest_for_work(self, now: float) -> float:
        """The same without refusals: were their time to count, then a flood of them would let nothing through."""
        return now - self._since - self._refusing


class Overload:
    """Whether the delay stands: exceeds its bound again and again, with no turn of the loop between that is on time."""

    def __init__(self) -> None:
        self.active = False
        self._since: float | None = None  # the delay has exceeded the bound
        self._last_late = 0.0

    @property
    def bound_s(self) -> float:
        """The delay that is still on time."""
        return TARGET_S if self.active else LATE_S

    def lasted_s(self, now: float) -> float:
        """How long the delay has stood, in seconds."""
        return 0.0 if self._since is None else now - self._since

    def late(self, now: float) -> None:
        """The delay exceeds the bound."""
        self._last_late = now
        if self._since is None:
            self._since = now
        elif not self.active and now - self._since > INTERVAL_S:
            self.active = True
            _log("overloaded")

    def on_time(self, now: float) -> None:
        """A turn began without such a delay; an overload ends after CALM_S of them, as shedding makes some itself."""
        if self.active and now - self._last_late <= CALM_S:
            return
        if self.active:
            _log("overload_ended", seconds=round(self.lasted_s(now), 1))
        self.active = False
        self._since = None


class Shedding:
    """Decides which requests of a process are refused. For the thread of its event loop only."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal
        self._delay = LoopDelay()
        self._overload = Overload()
        self._watchers: list[Any] = []

    def watch(self) -> None:
        """Follows the turns of this thread's gevent loop from now on."""
        loop = get_hub().loop
        # The lowest priority runs last: gevent starts greenlets in a callback of the same kind.
        self._watchers = [loop.prepare(ref=False, priority=loop.MINPRI), loop.check(ref=False)]
        for watcher, callback in zip(self._watchers, (self._delay.poll, self._turn), strict=True):
            watcher.start(callback)

    def sheds(self, req: Any, sock: Any, cfg: Any) -> bool:
        """Refuses a request that can't be served in time; False: serve it."""
        now = time.monotonic()
        if self._delay.longest(now) > self._overload.bound_s:
            self._overload.late(now)
        if not self._overload.active or req.path in NEVER_SHED:
            return False
        polls = req.method in _READS and req.path not in _SHED_LAST  # these come again at little cost
        if self._delay.longest_for_work(now) <= (TARGET_S if polls else LATE_S):
            return False
        try:
            self._refusal.send(req, sock, cfg, self._retry_after_s(now))
        finally:
            self._delay.refused(2 * (time.monotonic() - now))  # reading it took about as long
        gevent.sleep(0)  # a connection whose next request is there already would go on before all others
        return True

    def _turn(self) -> None:
        now = time.monotonic()
        if self._delay.turn(now) > self._overload.bound_s:
            self._overload.late(now)
        else:
            self._overload.on_time(now)

    def _retry_after_s(self, now: float) -> int:
        """At random, so that clients don't come back together; the longer the overload lasts, the later they do."""
        return random.randint(1, min(2 + int(self._overload.lasted_s(now)), MAX_RETRY_S))  # noqa: S311 - no secret


def _log(event: str, **fields: float) -> None:
    gevent.spawn(structlog.get_logger().warning, event, **fields)  # a callback of the loop may wait for nothing
