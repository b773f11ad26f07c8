"""An attempt ends when it must, whatever the thread that runs it is doing."""

from collections.abc import Callable

import pytest

from riffusion.errors import DeadlineExceeded, LeaseLost
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.worker.conftest import Jobs
from worker.attempt import Attempt, GivenBack
from worker.heartbeat import Heartbeat


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempt(jobs: Jobs, store: JobStore, clock: Callable[[], float]) -> Attempt:
    jobs.submit("0")
    record = store.claim("tiny", "me", "nonce")
    assert isinstance(record, JobRecord)
    return Attempt(record, Settings(running_deadline_s=100, stalled_deadline_s=10), clock)


def test_a_step_may_take_its_time(attempt: Attempt, clock: Clock) -> None:
    for step in range(9):
        attempt.progress(step, 9)
        clock.now += 10
    attempt.check()


def test_one_that_stands_still_ends(attempt: Attempt, clock: Clock) -> None:
    attempt.progress(1, 2)
    clock.now = 10.1
    with pytest.raises(DeadlineExceeded, match="no progress"):
        attempt.check()


def test_one_that_runs_for_too_long_ends(attempt: Attempt, clock: Clock) -> None:
    clock.now = 100.1
    with pytest.raises(DeadlineExceeded, match="longer than 100 s"):
        attempt.progress(1, 2)


def test_waiting_for_the_storage_is_not_standing_still(attempt: Attempt, clock: Clock) -> None:
    for _ in range(5):
        clock.now += 9
        attempt.pause(0)
    assert attempt.progress_report[:2] == (0, 0)


def test_dropped_is_dropped(attempt: Attempt) -> None:
    attempt.drop()
    attempt.give_back()
    with pytest.raises(LeaseLost):
        attempt.pause(60)


def test_given_back(attempt: Attempt) -> None:
    attempt.give_back()
    assert not attempt.dropped
    with pytest.raises(GivenBack):
        attempt.check()


def test_a_thread_hangs_if_it_should_have_stopped_and_is_silent(attempt: Attempt, clock: Clock) -> None:
    clock.now = 10.1
    assert not attempt.hung
    attempt.drop()
    assert attempt.hung
    attempt.touch()
    assert not attempt.hung
    clock.now = 30
    assert attempt.hung
    with pytest.raises(LeaseLost):
        attempt.check()
    assert not attempt.hung


def test_a_preview_is_reported_once(attempt: Attempt, store: JobStore, settings: Settings) -> None:
    heartbeat = Heartbeat(store, settings, "me")
    with heartbeat.hold(attempt):
        attempt.progress(1, 2)
        attempt.preview(b"first")
        attempt.preview(b"second")
        heartbeat._tick()
        assert (store.get(attempt.id).preview, store.preview(attempt.id)) == (1, b"second")
        attempt.progress(2, 2)
        heartbeat._tick()
    record = store.get(attempt.id)
    assert (record.step, record.preview) == (2, 1)
    assert attempt.wants_previews
