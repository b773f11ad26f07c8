"""The order in which waiting jobs start."""

import time

import pytest
from redis import Redis

from riffusion.jobs.store import JobStore
from riffusion.requests import cost
from tests.jobs.conftest import claim, lose, place, prompt, run, submit


def test_a_flood_does_not_hold_up_another_client(store: JobStore) -> None:
    for _ in range(200):
        submit(store, client="flood")
    for _ in range(10):
        claim(store)
    single = submit(store, client="single")
    stands = place(store, single)
    assert stands is not None
    assert stands.position < 2
    assert "single" in [claim(store).tenant for _ in range(2)]


def test_one_client_is_served_first_come_first_served(store: JobStore) -> None:
    ids = [submit(store).id for _ in range(10)]
    assert [claim(store).id for _ in range(10)] == ids


def test_clients_that_came_at_once_are_served_first_come_first_served(store: JobStore) -> None:
    clients = [f"client{n}" for n in range(6)]
    for client in clients:
        submit(store, client=client)
        time.sleep(0.002)  # ids of another millisecond
    assert [claim(store).tenant for _ in clients] == clients


def test_shares_are_of_work_not_of_jobs(store: JobStore) -> None:
    for _ in range(40):
        submit(store, client="long", steps=100)
        submit(store, client="short", steps=25)
    started = [claim(store).tenant for _ in range(25)]
    work = cost(prompt(steps=100)) / cost(prompt(steps=25))
    assert started.count("short") == pytest.approx(work * started.count("long"), abs=2)


def test_weight_is_the_share(store: JobStore) -> None:
    for _ in range(40):
        submit(store, client="heavy", weight=3)
        submit(store, client="light")
    started = [claim(store).tenant for _ in range(40)]
    assert started.count("heavy") == pytest.approx(30, abs=1)


def test_idleness_earns_no_credit(store: JobStore) -> None:
    submit(store, client="idle")
    run(store)
    for _ in range(50):
        submit(store, client="busy")
        run(store)
    for _ in range(10):
        submit(store, client="busy")
        submit(store, client="idle")
    started = [claim(store).tenant for _ in range(10)]
    assert started.count("idle") in {4, 5, 6}


def test_clients_that_virtual_time_has_passed_are_forgotten(store: JobStore, redis: Redis) -> None:
    for n in range(20):
        submit(store, client=f"client{n}")
    for _ in range(20):
        run(store)
    for _ in range(3):
        submit(store, client="last")
        run(store)
    assert redis.zcard("clients:tiny") == 1


def test_canceled_jobs_are_not_charged(store: JobStore) -> None:
    for _ in range(50):
        store.cancel(submit(store, client="fickle").id)
    for _ in range(4):
        submit(store, client="steady")
    submit(store, client="fickle")
    assert "fickle" in [claim(store).tenant for _ in range(2)]


def test_a_job_taken_back_goes_first(store: JobStore, redis: Redis) -> None:
    for n in range(8):
        submit(store, client=f"client{n % 3}")
    victim = claim(store)
    claim(store)
    lose(redis, victim)
    store.reap()
    submit(store, client="newcomer")
    assert claim(store).id == victim.id


def test_models_have_queues_of_their_own(store: JobStore) -> None:
    store.models.register("w1", "huge", 1)
    for _ in range(5):
        submit(store)
    other = submit(store, model="huge")
    stands = place(store, other)
    assert stands is not None
    assert stands.position == 0
    record = store.claim("huge", "w1", "nonce")
    assert record is not None
    assert record.id == other.id
