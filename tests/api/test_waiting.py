"""Waiting for a change, and not for longer than makes sense."""

import time
from threading import Timer

from api.services import Services
from api.waiting import Snapshot, look
from tests.api.conftest import Client, Worker, submit


def never(_: Snapshot) -> bool:
    return False


def test_a_watch_ends_with_its_time(client: Client, services: Services) -> None:
    snapshot = look(services.store, submit(client)["id"])
    assert services.watch.until(never, snapshot, 0.1) == snapshot


def test_a_watch_ends_with_the_job(client: Client, services: Services, worker: Worker) -> None:
    snapshot = look(services.store, submit(client)["id"])
    Timer(0.1, worker.fail, (worker.claim(),)).start()
    assert services.watch.until(never, snapshot, 600).record.status == "failed"


def test_a_watch_sees_the_queue_move(client: Client, services: Services, worker: Worker) -> None:
    submit(client)
    snapshot = look(services.store, submit(client)["id"])
    Timer(0.1, worker.claim).start()
    moved = services.watch.until(lambda latest: latest.version != snapshot.version, snapshot, 600)
    assert moved.place
    assert moved.place.position == 0


def test_a_watch_ends_when_the_server_stops(client: Client, services: Services) -> None:
    snapshot = look(services.store, submit(client)["id"])
    began = time.monotonic()
    Timer(0.1, setattr, (services.held, "closing", True)).start()
    services.watch.until(never, snapshot, 60)
    assert time.monotonic() - began < 50  # the rest of its time is not waited for


def test_a_stopping_server_holds_nobody_any_more(services: Services) -> None:
    services.held.closing = True
    assert not services.held.enter()
