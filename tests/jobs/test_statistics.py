"""What metrics read of the queues."""

import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.jobs.statistics import DEFAULT_PACE_S, ModelStatistics, read_statistics
from riffusion.jobs.store import JobStore
from riffusion.requests import cost
from tests.jobs.conftest import MODEL, claim, prompt, submit


def of_model(store: JobStore, model: str = MODEL) -> ModelStatistics:
    return read_statistics(store.redis, store.settings).models[model]


class TestModels:
    def test_workers_slots_and_jobs_are_counted(self, store: JobStore) -> None:
        store.models.register("w1", MODEL, 8)
        store.models.register("w2", MODEL, 4)
        store.models.register("w3", "huge", 1)
        submit(store)
        submit(store)
        claim(store)
        tiny, huge = of_model(store), of_model(store, "huge")
        assert (tiny.workers, tiny.slots, tiny.waiting, tiny.running) == (2, 12, 1, 1)
        assert (huge.workers, huge.slots, huge.waiting, huge.running) == (1, 1, 0, 0)


class TestWaitingWork:
    COST = cost(prompt(steps=20)) + cost(prompt(steps=50))

    @pytest.fixture(autouse=True)
    def two_waiting(self, store: JobStore) -> None:
        submit(store, steps=20)
        submit(store, steps=50)

    def test_it_is_what_one_of_the_workers_would_take(self, store: JobStore, redis: Redis) -> None:
        store.models.register("w1", MODEL, 6)
        store.models.register("w2", MODEL, 2)
        redis.hset(f"model:{MODEL}", "pace", 0.5)
        assert of_model(store).waiting_work_s == pytest.approx(self.COST * 0.5 / 4)

    def test_without_workers_pace_and_slots_are_the_last_known(
        self, configured: Callable[..., JobStore], redis: Redis
    ) -> None:
        store = configured(lease_s=0.2)
        store.models.register("w1", MODEL, 4)
        redis.hset(f"model:{MODEL}", "pace", 0.5)
        time.sleep(0.25)
        assert of_model(store).workers == 0
        assert of_model(store).waiting_work_s == pytest.approx(self.COST * 0.5 / 4)

    def test_before_the_first_worker_they_are_the_defaults(self, store: JobStore) -> None:
        assert of_model(store).waiting_work_s == pytest.approx(self.COST * DEFAULT_PACE_S)

    def test_what_runs_waits_no_more(self, store: JobStore) -> None:
        claim(store)
        claim(store)
        assert of_model(store).waiting_work_s == 0
