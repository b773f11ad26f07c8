"""Whose webhooks are taken when, and which hosts are left alone: the scripts, without a network."""

import time
from collections import Counter
from dataclasses import dataclass

import pytest
from redis import Redis

from riffusion.jobs.database import Database, pairs
from riffusion.jobs.record import JobRecord, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.jobs.conftest import keys
from tests.jobs.webhooks.conftest import elapse, ended

MANY = 1000


@dataclass(frozen=True)
class Taken:
    """A try in progress."""

    line: str
    lane: str
    record: JobRecord


@dataclass(frozen=True)
class Turns:
    """The two scripts."""

    database: Database

    def take(self, slow: int = MANY, quick: int = MANY) -> list[Taken]:
        found = self.database.run("webhook_take", slow, quick)
        return [Taken(line.decode(), lane.decode(), JobRecord.decode(pairs(flat))) for line, lane, flat in found]

    def lanes(self, slow: int = MANY, quick: int = MANY) -> Counter[str]:
        """How many are taken of each lane."""
        return Counter(each.lane for each in self.take(slow, quick))

    def report(self, taken: Taken, seconds: float | str, state: str = "pending", pause: float = 10_000) -> None:
        assert taken.record.webhook is not None
        attempt = taken.record.webhook.attempts
        report = (taken.record.id, attempt, state, "", pause, seconds)
        self.database.run("webhook_report", taken.line, taken.lane, *report)

    def responds(self, store: JobStore, key: str, url: str, seconds: float = 0.1) -> None:
        """Lets a host respond to one of a key's webhooks."""
        ended(store, key, url)
        [taken] = self.take()
        self.report(taken, seconds, "delivered")


@pytest.fixture
def turns(redis: Redis, settings: Settings) -> Turns:
    return Turns(Database(redis, settings))


def hosts(count: int, domain: str = "evil.example") -> list[str]:
    return [f"https://a{number}.{domain}/" for number in range(count)]


def attempts(store: JobStore, jobs: list[JobRecord]) -> list[int]:
    webhooks = [store.get(job.id).webhook for job in jobs]
    return [each.attempts for each in webhooks if each is not None]


def test_keys_take_turns(store: JobStore, turns: Turns) -> None:
    ended(store, "a", *hosts(50))
    ended(store, "b", "https://good.example/")
    taken = turns.take(slow=3)
    assert [each.lane.split()[0] for each in taken] == ["a", "b", "a"]
    ended(store, "b", "https://other.example/")
    ended(store, "c", "https://third.example/")
    assert [each.lane.split()[0] for each in turns.take(slow=2)] == ["a", "b"]  # who was served before goes last
    assert [each.lane.split()[0] for each in turns.take(slow=1)] == ["c"]


def test_a_keys_hosts_take_turns(store: JobStore, turns: Turns) -> None:
    turns.responds(store, "a", "https://busy.example/")
    turns.responds(store, "a", "https://calm.example/")
    ended(store, "a", *["https://busy.example/"] * 50, "https://calm.example/")
    assert turns.lanes(quick=3) == {"a busy.example": 2, "a calm.example": 1}


def test_a_key_has_four_tries_in_progress_in_all_processes(store: JobStore, turns: Turns) -> None:
    ended(store, "a", *hosts(50))
    assert len(turns.take(slow=3)) == 3
    [last] = turns.take()
    assert turns.take() == []
    turns.report(last, "")
    assert len(turns.take()) == 1


def test_a_host_has_eight_tries_in_progress_from_all_keys(store: JobStore, turns: Turns) -> None:
    for number in range(20):
        ended(store, f"key{number}", "https://evil.example/")
    taken = turns.take()
    assert len(taken) == 8
    assert turns.take() == []
    ended(store, "b", "https://good.example/")
    assert turns.lanes() == {"b good.example": 1}
    turns.report(taken[0], "")
    [following] = turns.take()
    assert following.lane not in {each.lane for each in taken}


@pytest.mark.parametrize(
    "same", ["https://Evil.EXAMPLE/", "https://evil.example:8443/x", "https://evil.example?a", "http://evil.example:/"]
)
def test_a_host_is_one_whatever_the_port_and_path(store: JobStore, turns: Turns, same: str) -> None:
    ended(store, "a", "https://evil.example/hook", same)
    assert turns.lanes() == {"a evil.example": 1}


def test_a_host_that_has_not_responded_is_tried_once_at_a_time(store: JobStore, turns: Turns) -> None:
    ended(store, "a", *["https://new.example/"] * 10)
    [first] = turns.take()
    turns.report(first, "")
    [second] = turns.take()
    assert turns.take() == []
    turns.report(second, 0.1, "delivered")
    assert turns.lanes() == {"a new.example": 4}


def test_hosts_that_respond_soon_have_places_of_their_own(store: JobStore, turns: Turns) -> None:
    turns.responds(store, "a", "https://quick.example/")
    turns.responds(store, "a", "https://slow.example/", 3.0)
    ended(store, "a", "https://new.example/", "https://slow.example/", "https://quick.example/")
    assert turns.lanes(slow=0) == {"a quick.example": 1}
    assert turns.lanes(quick=0) == {"a new.example": 1, "a slow.example": 1}


def test_a_key_whose_tries_hang_still_reaches_hosts_that_respond(store: JobStore, turns: Turns) -> None:
    turns.responds(store, "a", "https://quick.example/")
    ended(store, "a", *hosts(50))
    assert len(turns.take()) == 4
    ended(store, "a", "https://quick.example/")
    assert turns.lanes() == {"a quick.example": 1}


def test_the_breaker_opens_probes_and_closes(store: JobStore, turns: Turns) -> None:
    jobs = ended(store, "a", *["https://down.example/"] * 10)
    for _ in range(3):
        [taken] = turns.take()
        turns.report(taken, "")
    assert turns.take() == []  # open
    assert sum(attempts(store, jobs)) == 3  # to wait is no attempt
    for _ in range(5):
        elapse(store.redis, 50)
        assert turns.take() == []
        elapse(store.redis, 11)
        [probe] = turns.take()  # half open
        assert turns.take() == []
        turns.report(probe, "")
    elapse(store.redis, 61)
    [probe] = turns.take()
    turns.report(probe, 0.1, "delivered")
    assert turns.lanes() == {"a down.example": 1}  # closed: the only one that wasn't tried yet
    elapse(store.redis, 10_000)
    assert turns.lanes() == {"a down.example": 4}  # and those that were


def test_a_response_between_failures_keeps_the_breaker_closed(store: JobStore, turns: Turns) -> None:
    ended(store, "a", *["https://shaky.example/"] * 20)
    for seconds in ("", "", 0.1, "", ""):
        taken = turns.take()
        turns.report(taken[0], seconds)
        for other in taken[1:]:
            turns.report(other, 0.1)
    assert turns.take() != []


def test_one_keys_failures_close_a_host_for_that_key_only(store: JobStore, turns: Turns) -> None:
    turns.responds(store, "b", "https://shared.example/good")
    ended(store, "a", *["https://shared.example:81/bogus"] * 10)
    for _ in range(3):
        [taken] = turns.take()
        turns.report(taken, "")
    assert turns.take() == []
    ended(store, "b", *["https://shared.example/good"] * 10)
    ended(store, "c", "https://shared.example/good")
    assert turns.lanes() == {"b shared.example": 4, "c shared.example": 1}


def test_what_is_known_of_a_host_is_forgotten_after_a_day(store: JobStore, redis: Redis, turns: Turns) -> None:
    ended(store, "a", "https://down.example/")
    turns.report(turns.take()[0], "")
    assert redis.expiretime("webhooks:host:a down.example") == pytest.approx(time.time() + 86_400, abs=60)


def test_a_process_that_dies_gives_its_places_back(store: JobStore, turns: Turns) -> None:
    jobs = ended(store, "a", *hosts(4))
    assert len(turns.take()) == 4
    elapse(store.redis, 59)
    assert turns.take() == []
    elapse(store.redis, 2)
    assert len(turns.take()) == 4
    assert attempts(store, jobs) == [2, 2, 2, 2]


def test_a_report_that_is_sent_twice_counts_once(store: JobStore, turns: Turns) -> None:
    ended(store, "a", *["https://down.example/"] * 3)
    [taken] = turns.take()
    for _ in range(3):
        turns.report(taken, "")
    assert len(turns.take()) == 1  # the breaker is closed


def test_what_waits_and_is_deleted_or_delivered_late_is_dropped(store: JobStore, redis: Redis, turns: Turns) -> None:
    first, second, _ = ended(store, "a", *["https://new.example/"] * 3)
    [late] = turns.take()
    assert late.record.id == first.id
    elapse(redis, 61)
    turns.take(slow=0)  # the first is due again, and all stand in their lane
    turns.report(late, 0.1, "delivered")
    store.delete(second.id)
    [third] = turns.take()
    turns.report(third, 0.1, "delivered")
    assert turns.take() == []
    assert keys(redis, "webhooks*") == {"webhooks:host:a new.example"}
    found = store.get(first.id).webhook
    assert found is not None
    assert found.state is WebhookState.DELIVERED
