"""Waiting for a change of a job, with limits."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from threading import Event, Thread, Timer

import pytest
from redis import Redis

from api import held_requests
from api.held_requests import Snapshot, client_has_gone, read_snapshot
from api.services import Services
from riffusion.jobs.tenants import UNLIMITED
from tests.api.conftest import PROMPT, Client, Worker, submit


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
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's and the client's end of a connection."""
    server, client = socket.socketpair()
    with server, client:
        server.settimeout(60)
        yield server, client


@pytest.mark.parametrize("path", ["/jobs/{job}", "/jobs/{job}/events", "/batches/{batch}"])
def test_nothing_is_held_for_a_client_that_has_gone(
    client: Client, services: Services, pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("api.held_requests.RECHECK_S", 0.1)
    monkeypatch.setattr("api.batches.RECHECK_S", 0.1)
    key = {"Authorization": f"Bearer {services.keys.create('tests', UNLIMITED)[0]}"}
    services.store.models.register("w", Worker.MODEL, 1)
    line = {"data": json.dumps(PROMPT), "content_type": "application/jsonl", "headers": key}
    ids = {"job": submit(client)["id"], "batch": client.post("/batches", **line).json["id"]}
    server, other = pair
    Timer(0.2, other.close).start()
    began = time.monotonic()
    headers = {**key, "Prefer": "wait=30", "If-None-Match": "*"} if "batch" in path else {"Prefer": "wait=30"}
    etag = client.get(path.format(**ids), headers=key).headers.get("ETag") if path == "/jobs/{job}" else None
    client.get(
        path.format(**ids), headers=headers | ({"If-None-Match": etag} if etag else {}),
        environ_overrides={"gunicorn.socket": server},
    )  # fmt: skip
    assert time.monotonic() - began < 10


def test_a_client_that_sends_the_next_request_has_not_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    server, client = pair
    environ = {"gunicorn.socket": server}
    assert not client_has_gone(environ)
    client.send(b"POST")
    assert not client_has_gone(environ)
    assert server.recv(9) == b"POST"
    assert server.gettimeout() == 60
    client.close()
    assert client_has_gone(environ)


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
