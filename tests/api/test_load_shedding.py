"""Load shedding: which delays of the loop are an overload, and which requests it refuses then."""

import time
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from api import load_shedding
from api.load_shedding import INTERVAL_S, LATE_S, RECOVERY_S, TARGET_S, LoopDelay, Overload, Shedding

SOON, LATE = TARGET_S / 2, LATE_S * 2


class Refusals:
    """Records what is refused, at some cost."""

    def __init__(self, clock: "Clock") -> None:
        self.clock = clock
        self.cost_s = 0.0
        self.retry_after: list[int] = []

    def send(self, _req: Any, _sock: Any, _cfg: Any, retry_after_s: int) -> None:
        self.retry_after.append(retry_after_s)
        self.clock.now += self.cost_s


class Clock:
    """A clock that tests advance."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 1

    def monotonic(self) -> float:
        return self.now


class Loop:
    """A simulated event loop: turns of some length, in which requests are handled."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.refusals = Refusals(clock)
        self.shedding = Shedding(self.refusals)

    def turn(self, *, busy_s: float, slept_s: float = 0.0, preempted_s: float = 0.0) -> None:
        """Polls for events, in which it sleeps or lacks the processor, then handles them for so long."""
        self.shedding._delay.poll()
        self.clock.now += slept_s or preempted_s
        self.clock.slept += slept_s > 0
        self.shedding._turn()
        self.clock.now += busy_s

    def sheds(self, method: str = "GET", path: str = "/jobs/x") -> bool:
        return self.shedding.sheds(SimpleNamespace(method=method, path=path), None, None)

    def overload(self) -> None:
        """Late turns until a request is refused."""
        for _ in range(10):
            self.turn(busy_s=LATE)
        assert self.sheds()


@pytest.fixture(params=[True, False], ids=["counted", "timed"])
def loop(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Loop:
    """On a system that counts sleeps, and on one that doesn't."""
    clock = Clock()
    monkeypatch.setattr(load_shedding, "time", clock)
    monkeypatch.setattr(load_shedding, "sleeps", lambda: clock.slept if request.param else 0)
    return Loop(clock)


def test_a_standing_delay_is_an_overload(loop: Loop) -> None:
    began, shed = loop.clock.now, False
    while not shed and loop.clock.now < began + 10 * INTERVAL_S:
        loop.turn(busy_s=LATE)
        shed = loop.sheds()
    assert INTERVAL_S < loop.clock.now - began < INTERVAL_S + 3 * LATE


def test_one_long_turn_is_no_overload_unless_requests_wait(loop: Loop) -> None:
    loop.turn(busy_s=10 * INTERVAL_S, slept_s=1.0)
    loop.turn(busy_s=SOON)
    assert not loop.sheds()
    loop.turn(busy_s=SOON)
    assert not loop.sheds()


def test_a_long_turn_of_many_requests_is_overload_before_it_ends(loop: Loop) -> None:
    loop.turn(busy_s=0.0, slept_s=1.0)
    shed = []
    for _ in range(100):
        shed.append(loop.sheds())
        loop.clock.now += 2 * INTERVAL_S / 100
    assert not shed[0]
    assert shed[-1]


@pytest.mark.parametrize("between", [{"busy_s": LATE, "slept_s": 0.1}, {"busy_s": SOON}])
def test_a_turn_on_time_ends_a_delay(loop: Loop, between: dict[str, float]) -> None:
    for _ in range(20):
        for _ in range(3):
            loop.turn(busy_s=LATE)
            assert not loop.sheds()
        loop.turn(**between)
        loop.turn(busy_s=SOON)


@pytest.mark.parametrize("loop", [True], indirect=True)
def test_lack_of_the_processor_is_not_taken_for_sleep(loop: Loop) -> None:
    for _ in range(10):
        loop.turn(busy_s=LATE, preempted_s=0.1)
    assert loop.sheds()


def test_separate_late_turns_are_no_overload(loop: Loop) -> None:
    for _ in range(10):
        loop.turn(busy_s=LATE, slept_s=60.0)
        assert not loop.sheds()


def test_polls_are_shed_first_and_liveness_and_assets_never(loop: Loop) -> None:
    loop.overload()
    loop.turn(busy_s=SOON, slept_s=0.1)
    loop.turn(busy_s=TARGET_S)
    assert loop.sheds("GET")
    assert loop.sheds("HEAD")
    for method, path in (("POST", "/jobs"), ("DELETE", "/jobs/x"), ("GET", "/metrics"), ("GET", "/readyz")):
        assert not loop.sheds(method, path)
    loop.turn(busy_s=LATE)
    for method, path in (("POST", "/jobs"), ("DELETE", "/jobs/x"), ("GET", "/metrics"), ("GET", "/readyz")):
        assert loop.sheds(method, path)
    for path in ("/healthz", "/assets/0123456789ab/js/pages/studio.js"):
        assert not loop.sheds("GET", path)


def test_a_request_in_time_is_served_in_an_overload(loop: Loop) -> None:
    loop.overload()
    loop.turn(busy_s=0.0, slept_s=0.1)
    assert not loop.sheds()


def test_some_requests_are_served_in_a_flood_of_refusals(loop: Loop) -> None:
    loop.overload()
    loop.refusals.cost_s = TARGET_S / 10
    served = 0
    for _ in range(20):
        loop.turn(busy_s=0.0)
        for _ in range(200):  # refusing all of them takes twenty times the target
            if not loop.sheds():
                served += 1
                loop.clock.now += TARGET_S / 20
    assert served > 20


def test_a_refused_connection_yields_to_others(loop: Loop) -> None:
    loop.overload()
    order = []

    def connection(name: str) -> None:
        for _ in range(3):
            assert loop.sheds()
            order.append(name)

    gevent.joinall([gevent.spawn(connection, name) for name in "ab"], raise_error=True)
    assert "".join(order) == "ababab"


def test_an_overload_ends_when_nothing_is_late_for_a_while(loop: Loop) -> None:
    loop.overload()
    for _ in range(10):
        loop.turn(busy_s=SOON, slept_s=RECOVERY_S / 2)
        loop.turn(busy_s=LATE)
        assert loop.sheds()  # the overload hasn't ended yet
    for _ in range(10):
        loop.turn(busy_s=SOON, slept_s=RECOVERY_S / 4)
    loop.turn(busy_s=LATE)
    assert not loop.sheds()


def test_retry_after_is_spread_and_grows(loop: Loop) -> None:
    loop.overload()

    def drawn() -> list[int]:
        loop.refusals.retry_after.clear()
        assert all(loop.sheds() for _ in range(300))
        return loop.refusals.retry_after

    early = drawn()
    assert 1 == min(early) < max(early) <= 5
    for _ in range(1000):
        loop.turn(busy_s=LATE)
    late = drawn()
    assert (min(late), max(late)) == (1, load_shedding.MAX_RETRY_S)
    assert len(set(late)) > 20


def test_the_delay_of_a_real_loop() -> None:
    shedding = Shedding(Refusals(Clock()))
    shedding.watch()
    delays = []

    def waits(seconds: float) -> None:
        gevent.sleep(0)
        time.sleep(seconds)
        gevent.sleep(0)
        delays.append(shedding._delay.longest(time.monotonic()))

    waits(0.2)
    gevent.sleep(0.05)
    delays.append(shedding._delay.longest(time.monotonic()))
    for watcher in shedding._watchers:
        watcher.stop()
    busy, idle = delays
    assert busy >= 0.2
    assert idle < 0.2


def test_refusals_of_an_earlier_turn_are_forgotten() -> None:
    delay = LoopDelay()
    for turn in range(4):
        delay.poll()
        delay.turn(turn + 1.0)
        delay.refused(0.5)
    assert delay.longest(4.5) - delay.longest_for_work(4.5) == 1.0  # of this turn and the one before


def test_an_overload_lasts_from_the_first_delay() -> None:
    found = Overload()
    assert found.lasted_s(5.0) == 0.0
    found.late(1.0)
    assert found.lasted_s(5.0) == 4.0
