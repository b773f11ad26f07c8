"""Waiting for a change of a job, with limits."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from threading import Event, Thread, Timer

import pytest
from redis import Redis

from api import held_requests
from api.held_requests import HeldRequests, Snapshot, client_has_gone, read_snapshot
from api.metrics import Metrics
from api.services import Services
from riffusion.errors import Overloaded, TooManyRequests
from riffusion.jobs.tenants import UNLIMITED, Tenant
from tests.api.conftest import PROMPT, Client, Worker, hold_all, submit

ALICE = Tenant("address:192.0.2.1")


def never(_: Snapshot) -> bool:
    return False


def take_all(held: HeldRequests, client: Tenant) -> int:
    """The number of places that a client gets."""
    return sum(1 for _ in takewhile(bool, (held.try_enter(client) for _ in count())))


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
    assert not services.held.try_enter(ALICE)


def test_no_client_holds_all_places() -> None:
    held = HeldRequests(80, Metrics().held)
    site = ("address:2001:db8::/56", "address:2001:db8::/48")
    subscribers = [Tenant(f"address:2001:db8:0:{number:x}::/64", site) for number in range(8)]
    assert take_all(held, Tenant("address:192.0.2.7")) == 10
    assert [take_all(held, each) for each in subscribers] == [10, 10, 0, 0, 0, 0, 0, 0]
    assert take_all(held, Tenant("key:1")) == 40
    with pytest.raises(TooManyRequests):
        held.enter(Tenant("key:1"))
    assert take_all(held, Tenant("key:2")) == 10  # all that is left
    with pytest.raises(Overloaded):
        held.enter(Tenant("key:3"))
    held.leave(Tenant("key:1"))
    assert take_all(held, Tenant("key:1")) == 1


def test_a_key_holds_no_more_places_for_many_end_users() -> None:
    held = HeldRequests(80, Metrics().held)
    assert sum(take_all(held, Tenant(f"key:1/{person}")) for person in range(50)) == 40
    held.leave(Tenant("key:1/0"))
    assert held.try_enter(Tenant("key:1/other"))


def test_a_client_with_all_its_places_leaves_others_theirs(
    client: Client, stranger: Client, services: Services
) -> None:
    path = f"/jobs/{submit(client)['id']}"
    hold_all(services, Tenant("address:127.0.0.1"))
    headers = {"If-None-Match": client.get(path).headers["ETag"], "Prefer": "wait=1"}
    assert "Preference-Applied" not in client.get(path, headers=headers).headers
    assert client.get(f"{path}/events").text.count("event: job") == 1
    assert stranger.get(path, headers=headers).headers["Preference-Applied"] == "wait=1"


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
