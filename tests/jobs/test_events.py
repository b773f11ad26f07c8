"""Events: every wait for a job sees every change."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from riffusion.jobs import events
from riffusion.jobs.events import EventHub
from riffusion.jobs.store import JobStore
from tests.conftest import ValkeyServer, wait_until
from tests.jobs.conftest import at_once, claim, submit


@pytest.fixture
def hub(redis: Redis) -> Iterator[EventHub]:
    found = EventHub(redis)
    yield found
    found.close()


def subscribers(redis: Redis) -> int:
    """Other tests' servers may be among them: channels are of the whole server, not of a database."""
    reply: Any = redis.pubsub_numsub("events")  # its type includes the asynchronous one's
    return int(reply[0][1])


def connect(hub: EventHub, redis: Redis) -> int:
    """Lets the hub subscribe, so that what follows is heard; the number of subscribers then."""
    before = subscribers(redis)
    hub.wait("none", 0, 0)
    wait_until(lambda: subscribers(redis) > before)
    # That it has subscribed wakes everybody who waits: it has to have heard so, before anybody does.
    redis.publish("events", "probe 1")
    wait_until(lambda: hub.wait("probe", 0, 0.1) == 1)
    return before + 1


def listening(hub: EventHub, job_id: str, revision: int) -> tuple[threading.Thread, list[int]]:
    """A thread that waits for longer than any test, and what it then has heard of."""
    returned: list[int] = []
    thread = threading.Thread(target=lambda: returned.append(hub.wait(job_id, revision, 30)))
    thread.start()
    time.sleep(0.1)
    return thread, returned


def test_every_change_wakes_who_waits(store: JobStore, hub: EventHub, redis: Redis) -> None:
    record = submit(store)
    connect(hub, redis)
    for change in (
        lambda: claim(store),
        lambda: store.progress(record.id, 1, 1, 20),
        lambda: store.release(record.id, 1),
        lambda: store.cancel(record.id),
    ):
        thread, returned = listening(hub, record.id, store.get(record.id).revision)
        change()
        thread.join(10)
        assert returned == [store.get(record.id).revision]


def test_a_delete_wakes_who_waits(store: JobStore, hub: EventHub, redis: Redis) -> None:
    record = submit(store)
    connect(hub, redis)
    thread, returned = listening(hub, record.id, record.revision)
    store.delete(record.id)
    thread.join(10)
    assert returned[0] > record.revision


def test_a_change_between_reading_and_waiting_is_not_missed(store: JobStore, hub: EventHub, redis: Redis) -> None:
    connect(hub, redis)
    record = submit(store)
    claim(store)
    latest = store.get(record.id).revision
    wait_until(lambda: hub.wait(record.id, record.revision, 0) == latest)
    assert hub.wait(record.id, latest, 0.05) == latest


def test_a_record_that_fell_behind_its_events_wakes_no_wait_twice(store: JobStore, hub: EventHub, redis: Redis) -> None:
    connect(hub, redis)
    record = submit(store)
    claim(store)
    wait_until(lambda: hub.wait(record.id, 0, 0) > record.revision)
    redis.hset(f"job:{record.id}", "revision", "1")  # as a failover or a backup leaves it
    heard = hub.wait(record.id, 1, 10)
    began = time.monotonic()
    assert hub.wait(record.id, heard, 0.3) == heard
    assert time.monotonic() - began > 0.2


def test_other_jobs_wake_no_wait(store: JobStore, hub: EventHub, redis: Redis) -> None:
    record, other = submit(store), submit(store)
    connect(hub, redis)
    store.cancel(other.id)
    began = time.monotonic()
    assert hub.wait(record.id, record.revision, 0.3) == record.revision
    assert time.monotonic() - began > 0.2


def test_many_wait_on_one_connection(store: JobStore, hub: EventHub, redis: Redis) -> None:
    record = submit(store)
    connected = connect(hub, redis)

    def act(index: int) -> bool:
        if index == 0:
            time.sleep(0.2)
            store.cancel(record.id)
            return True
        return hub.wait(record.id, record.revision, 30) > record.revision

    assert all(at_once(act, threads=50))
    assert subscribers(redis) == connected
    assert hub._waiting == {}


def test_a_lost_connection_wakes_everybody_once_it_is_back(store: JobStore, hub: EventHub, redis: Redis) -> None:
    record = submit(store)
    connect(hub, redis)
    thread, returned = listening(hub, record.id, record.revision)
    redis.client_kill_filter(_type="pubsub")
    thread.join(20)
    assert returned == [record.revision]


def test_a_subscriber_that_receives_nothing_for_long_connects_again(
    valkey: ValkeyServer, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_SILENCE_S", 1.0)
    monkeypatch.setattr(events, "_POLL_S", 0.2)
    with Redis.from_url(valkey.url, socket_timeout=1) as client:
        hub = EventHub(client)
        record = submit(store)
        connect(hub, store.redis)
        hub.wait(record.id, record.revision, 0.1)
        thread, returned = listening(hub, record.id, record.revision)
        valkey.pause()
        time.sleep(2.5)
        valkey.resume()
        thread.join(20)
        assert returned == [record.revision]
        hub.close()


def test_closing_ends_every_wait(hub: EventHub, store: JobStore, redis: Redis) -> None:
    record = submit(store)
    connect(hub, redis)
    thread, returned = listening(hub, record.id, record.revision)
    hub.close()
    thread.join(10)
    assert returned == [record.revision]
    assert hub.wait(record.id, record.revision, 600) == record.revision
