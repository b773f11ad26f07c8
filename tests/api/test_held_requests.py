"""Waiting for a change of a job, with limits."""

import time
from collections.abc import Callable
from itertools import count
from threading import Event, Thread, Timer

import pytest
from redis import Redis

from api import held_requests
from api.held_requests import Snapshot, read_snapshot
from api.services import Services
from tests.api.conftest import Client, Worker, submit


def never(_: Snapshot) -> bool:
    return False


def test_waiting_ends_with_its_time(client: Client, services: Services) -> None:
    snapshot = read_snapshot(services.store, submit(client)["id"])
    assert services.watcher.until(never, snapshot, 0.1) == snapshot


def test_waiting_ends_with_the_job(client: Client, services: Services, worker: Worker) -> None:
    snapshot = read_snapshot(services.store, submit(client)["id"])
    Timer(0.1, worker.fail, (worker.claim(),)).start()
    assert services.watcher.until(never, snapshot, 600).record.status == "failed"


def test_waiting_ends_when_the_queue_moves(client: Client, services: Services, worker: Worker) -> None:
    submit(client)
    snapshot = read_snapshot(services.store, submit(client)["id"])
    Timer(0.1, worker.claim).start()
    moved = services.watcher.until(lambda latest: latest.version != snapshot.version, snapshot, 600)
    assert moved.place
    assert moved.place.position == 0


def test_waiting_ends_when_the_server_stops(client: Client, services: Services) -> None:
    snapshot = read_snapshot(services.store, submit(client)["id"])
    began = time.monotonic()
    Timer(0.1, setattr, (services.held, "closing", True)).start()
    services.watcher.until(never, snapshot, 60)
    assert time.monotonic() - began < 50  # without waiting for the rest of the time


def test_a_stopping_server_holds_no_request(services: Services) -> None:
    services.held.closing = True
    assert not services.held.enter()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times at which watchers read a record."""
    times: list[float] = []

    def counted(*args: object) -> Snapshot:
        times.append(time.monotonic())
        return real(*args)

    real: Callable[..., Snapshot] = held_requests.read_snapshot
    monkeypatch.setattr(held_requests, "read_snapshot", counted)
    return times


def test_a_record_older_than_its_events_is_not_read_continuously(
    client: Client, services: Services, worker: Worker, redis: Redis, reads: list[float]
) -> None:
    job_id = submit(client)["id"]
    services.watcher.until(never, read_snapshot(services.store, job_id), 0.5)  # subscribes to its events
    worker.claim()
    time.sleep(0.5)
    redis.hset(f"job:{job_id}", "revision", "1")  # as a failover or a backup leaves it
    reads.clear()
    services.watcher.until(never, read_snapshot(services.store, job_id), 3)
    assert len(reads) < 8


def test_a_flood_of_events_causes_no_flood_of_reads(
    client: Client, services: Services, redis: Redis, reads: list[float]
) -> None:
    job_id = submit(client)["id"]
    over = Event()

    def flood() -> None:
        for revision in count(10):
            if over.wait(0.002):
                return
            redis.publish("events", f"{job_id} {revision}")

    flooding = Thread(target=flood)
    flooding.start()
    services.watcher.until(never, read_snapshot(services.store, job_id), 2)
    over.set()
    flooding.join()
    assert len(reads) < 50
