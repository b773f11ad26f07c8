"""Listing, place in the queue, models."""

import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.jobs.acceptance import Place
from riffusion.jobs.models import ModelLoad
from riffusion.jobs.record import JobStatus
from riffusion.jobs.store import JobStore
from riffusion.requests import cost
from tests.jobs.conftest import MODEL, by, claim, place, prompt, run, submit, success


class TestList:
    def test_a_client_sees_its_own_jobs_newest_first(self, store: JobStore) -> None:
        mine = []
        for _ in range(3):
            mine.append(submit(store, "alice"))
            submit(store, "bob")
            time.sleep(0.002)
        assert store.list(by("alice")).records == tuple(reversed(mine))
        assert store.list(by("carol")).records == ()

    def test_pages_join_without_gap_or_overlap(self, store: JobStore) -> None:
        ids = {submit(store).id for _ in range(23)}
        seen: list[str] = []
        cursor, pages = None, 0
        while True:
            page = store.list(by("alice"), limit=10, cursor=cursor)
            seen += [record.id for record in page.records]
            cursor, pages = page.cursor, pages + 1
            if cursor is None:
                break
        assert pages == 3
        assert sorted(seen) == sorted(ids)

    def test_a_last_page_that_is_full_is_the_last(self, store: JobStore) -> None:
        for _ in range(10):
            submit(store)
        assert store.list(by("alice"), limit=10).cursor is None

    def test_one_status_is_found_among_many_others(self, store: JobStore) -> None:
        for _ in range(3):
            submit(store)
        done = [run(store).id for _ in range(3)]
        for _ in range(250):
            submit(store)
        page = store.list(by("alice"), JobStatus.SUCCEEDED, limit=2)
        assert len(page.records) == 2
        rest = store.list(by("alice"), JobStatus.SUCCEEDED, limit=2, cursor=page.cursor)
        assert sorted(record.id for record in page.records + rest.records) == sorted(done)
        assert rest.cursor is None


class TestPlace:
    def test_only_waiting_jobs_have_one(self, store: JobStore) -> None:
        first, second = submit(store), submit(store)
        assert place(store, first) == Place(0, None)
        assert place(store, second) == Place(1, None)
        assert place(store, claim(store)) is None
        assert place(store, first) is None  # an old record of a job that runs meanwhile
        assert place(store, second) == Place(0, None)

    def test_a_free_slot_means_no_wait(self, store: JobStore) -> None:
        submit(store)
        run(store)
        store.models.register("w1", MODEL, 2)
        store.reap()
        assert place(store, submit(store)) == Place(0, 0)

    def test_the_wait_is_the_work_ahead_at_the_usual_pace(self, store: JobStore, redis: Redis) -> None:
        store.models.register("w1", MODEL, 1)
        store.models.register("w2", MODEL, 1)
        store.reap()
        redis.hset(f"model:{MODEL}", "pace", "0.5")
        for _ in range(2):
            submit(store, steps=40)
            claim(store)
        for _ in range(3):
            submit(store, steps=20)
        last = submit(store, steps=20)
        # Two jobs of 40 steps, half done, and three of 20 ahead, at half a second a unit of cost, in two slots.
        work = 2 * cost(prompt(steps=40)) / 2 + 3 * cost(prompt(steps=20))
        stands = place(store, last)
        assert stands is not None
        assert stands.position == 3
        assert stands.eta_s == pytest.approx(work * 0.5 / 2, abs=0.01)

    def test_the_pace_is_learnt(self, store: JobStore, redis: Redis) -> None:
        submit(store, steps=10)
        record = claim(store)
        redis.hset(f"job:{record.id}", "started_at", str(time.time() - record.cost / 2))
        store.finish(record.id, record.token, success(record))
        assert float(redis.hget(f"model:{MODEL}", "pace") or 0) == pytest.approx(0.5, rel=0.2)  # type: ignore[arg-type]


class TestModels:
    def test_workers_are_counted_while_they_announce_themselves(self, configured: Callable[..., JobStore]) -> None:
        store = configured(lease_s=0.2)
        store.models.register("w1", MODEL, 8)
        store.models.register("w2", MODEL, 4)
        store.models.register("w3", "huge", 1)
        store.models.register("w3", "huge", 1)
        submit(store)
        claim(store)
        submit(store)
        assert store.models.alive() == {
            MODEL: ModelLoad(workers=2, slots=12, waiting=1, running=1),
            "huge": ModelLoad(workers=1, slots=1, waiting=0, running=0),
        }
        store.models.unregister("w3")
        assert set(store.models.alive()) == {MODEL}
        time.sleep(0.25)
        assert store.models.alive() == {}
        assert store.models.loads()[MODEL] == ModelLoad(workers=0, slots=0, waiting=1, running=1)
