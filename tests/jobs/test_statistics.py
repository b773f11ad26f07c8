"""What metrics read of all jobs."""

import time
from collections.abc import Callable

import pytest
from redis import Redis

from api.statistics_collector import StatisticsCollector
from riffusion.errors import StorageUnavailable
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.models import ModelState
from riffusion.jobs.record import Failure, JobRecord
from riffusion.jobs.statistics import DEFAULT_PACE_S, End, ModelStatistics, Statistics, read_statistics
from riffusion.jobs.store import JobStore
from riffusion.requests import cost
from riffusion.storage import Storage
from tests.jobs.conftest import (
    MODEL,
    by,
    claim,
    expire,
    lose,
    outwait,
    overrun,
    prompt,
    run,
    store_files,
    submit,
    sweep_now,
)


def read(store: JobStore) -> Statistics:
    return read_statistics(store.redis, store.settings)


def of_model(store: JobStore, model: str = MODEL) -> ModelStatistics:
    return read(store).models[model]


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

    def test_each_has_its_state(self, store: JobStore) -> None:
        control = ModelControl(store.redis, store.settings)
        store.models.register("w1", MODEL, 8)
        store.models.register("w2", "huge", 1)
        control.set_state(MODEL, ModelState.PAUSED)
        assert (of_model(store).state, of_model(store, "huge").state) == (ModelState.PAUSED, ModelState.ACTIVE)
        gauges = {metric.name: metric for metric in StatisticsCollector(store).collect()}
        paused = {sample.labels["model"]: sample.value for sample in gauges["riffusion_model_paused"].samples}
        assert paused == {MODEL: 1, "huge": 0}


class TestWaitingWork:
    COST = cost(prompt(steps=20)) + cost(prompt(steps=50))

    @pytest.fixture(autouse=True)
    def two_waiting(self, store: JobStore) -> None:
        submit(store, steps=20)
        submit(store, steps=50)

    def test_it_is_what_one_of_the_workers_would_take(self, store: JobStore, redis: Redis) -> None:
        store.models.register("w1", MODEL, 6)
        store.models.register("w2", MODEL, 2)
        redis.hset(f"model:{MODEL}", "pace", "0.5")
        assert of_model(store).waiting_work_s == pytest.approx(self.COST * 0.5 / 4)

    def test_without_workers_pace_and_slots_are_the_last_known(
        self, configured: Callable[..., JobStore], redis: Redis
    ) -> None:
        store = configured(lease_s=0.2)
        store.models.register("w1", MODEL, 4)
        redis.hset(f"model:{MODEL}", "pace", "0.5")
        time.sleep(0.25)
        assert of_model(store).workers == 0
        assert of_model(store).waiting_work_s == pytest.approx(self.COST * 0.5 / 4)

    def test_before_the_first_worker_they_are_the_defaults(self, store: JobStore) -> None:
        assert of_model(store).waiting_work_s == pytest.approx(self.COST * DEFAULT_PACE_S)

    def test_what_waits_for_a_paused_model_is_no_work(self, store: JobStore) -> None:
        ModelControl(store.redis, store.settings).set_state(MODEL, ModelState.PAUSED)
        assert of_model(store).waiting_work_s == 0
        assert of_model(store).waiting > 0

    def test_what_runs_waits_no_more(self, store: JobStore) -> None:
        claim(store)
        claim(store)
        assert of_model(store).waiting_work_s == 0


class TestOldestWaiting:
    def test_it_is_the_one_that_entered_the_queue_first_whichever_is_next(self, store: JobStore, redis: Redis) -> None:
        first, last = submit(store, steps=100), submit(store, "bob")
        redis.zincrby(f"queued:{MODEL}", -100, first.id)
        redis.zincrby(f"queued:{MODEL}", -50, last.id)
        assert of_model(store).oldest_waiting_s == pytest.approx(100, abs=5)
        assert claim(store).id == first.id
        assert of_model(store).oldest_waiting_s == pytest.approx(50, abs=5)

    def test_a_job_whose_worker_was_lost_waits_from_then_on(self, store: JobStore, redis: Redis) -> None:
        record = submit(store)
        redis.zincrby(f"queued:{MODEL}", -100, record.id)
        lose(redis, claim(store))
        store.reap()
        assert of_model(store).waiting == 1
        assert of_model(store).oldest_waiting_s < 5

    def test_without_waiting_jobs_it_is_0(self, store: JobStore) -> None:
        run_one(store)
        assert of_model(store).oldest_waiting_s == 0

    def test_what_the_version_before_has_claimed_is_forgotten(self, store: JobStore, redis: Redis) -> None:
        redis.zrem(f"waiting:{MODEL}", submit(store).id)
        store.reap()
        assert of_model(store).oldest_waiting_s == 0


class TestEnded:
    def test_each_end_is_counted_once_with_its_reason(self, store: JobStore, redis: Redis) -> None:
        run_one(store)
        record = running(store)
        for _ in range(2):
            store.finish(record.id, record.token, Failure("out_of_memory", "It didn't fit."))
        overrun(redis, running(store))
        outwait(redis, submit(store))
        store.reap()
        store.cancel(submit(store).id)
        store.delete(submit(store).id)
        assert read(store).ended == {
            End("succeeded", "made", MODEL): 1,
            End("failed", "out_of_memory", MODEL): 1,
            End("failed", "deadline_exceeded", MODEL): 2,
            End("canceled", "requested", MODEL): 2,
        }

    def test_only_the_last_loss_of_a_worker_is_an_end(self, store: JobStore, redis: Redis) -> None:
        submit(store)
        for losses in range(store.settings.max_attempts):
            assert read(store).ended == {}, losses
            lose(redis, claim(store))
            store.reap()
        assert read(store).ended == {End("failed", "worker_lost", MODEL): 1}

    def test_copies_are_counted_apart(self, store: JobStore) -> None:
        submit(store, seed=1)
        run(store)
        submit(store, seed=1)
        assert read(store).ended == {End("succeeded", "made", MODEL): 1, End("succeeded", "copied", MODEL): 1}


class TestWebhooks:
    def test_they_are_pending_until_delivered_or_failed(self, store: JobStore, redis: Redis) -> None:
        for state, left in (("pending", 1), ("delivered", 0)):
            record = reported(store)
            lane = "- hooks.example"
            assert read(store).webhooks_pending == 1
            redis.zincrby("webhooks", -20, record.id)
            assert read(store).webhooks_overdue_s == pytest.approx(20, abs=5)
            store._database.run("webhook_take", 4, 4)
            assert (read(store).webhooks_pending, read(store).webhooks_overdue_s) == (1, 0)
            store._database.run("webhook_report", "slow", lane, record.id, 1, state, "", 60, 1)
            assert (read(store).webhooks_pending, read(store).webhooks_overdue_s) == (left, 0)
            store.delete(record.id)
            assert read(store).webhooks_pending == 0

    def test_what_the_version_before_has_delivered_is_forgotten(self, store: JobStore, redis: Redis) -> None:
        redis.hset(f"job:{reported(store).id}", "webhook_state", "delivered")
        store.reap()
        assert read(store).webhooks_pending == 0


class TestExpired:
    def test_what_is_due_is_counted_until_it_is_deleted(
        self, store: JobStore, redis: Redis, files: Storage, sweep: Callable[[], int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = running(store)
        store_files(files, record)
        store.cancel(record.id)
        assert (read(store).expired_entries, read(store).expired_oldest_s) == (0, 0)
        redis.zadd("sweep_at", {f"job:{record.id}": time.time() - 30})
        assert read(store).expired_entries == 1
        assert read(store).expired_oldest_s == pytest.approx(30, abs=5)
        with monkeypatch.context() as failing:
            failing.setattr(type(files), "list", _fail)
            for _ in range(2):
                sweep_now(redis, record)
                with pytest.raises(StorageUnavailable):
                    sweep()
                redis.zincrby("sweeping", -150, f"job:{record.id}")
        assert read(store).expired_entries == 1
        assert read(store).expired_oldest_s == pytest.approx(300, abs=5)
        expire(redis, record)
        sweep()
        assert (read(store).expired_entries, read(store).expired_oldest_s) == (0, 0)

    def test_files_that_are_needed_longer_are_not_among_them(
        self, store: JobStore, redis: Redis, sweep: Callable[[], int]
    ) -> None:
        record = submit(store, seed=1)
        run(store)
        submit(store, seed=1)
        expire(redis, record)
        sweep()
        assert read(store).expired_entries == 0

    def test_what_the_version_before_has_deleted_is_forgotten(
        self, store: JobStore, redis: Redis, sweep: Callable[[], int]
    ) -> None:
        redis.zadd("sweeping", {"job:gone": 1})
        sweep()
        assert (read(store).expired_entries, read(store).expired_oldest_s) == (0, 0)

    def test_an_entry_that_was_due_at_once_has_no_age(self, store: JobStore, redis: Redis) -> None:
        redis.zadd("sweep_at", {"upload:x": 0})
        assert (read(store).expired_entries, read(store).expired_oldest_s) == (1, 0)


def test_memory_is_what_redis_uses_and_the_limit_that_jobs_are_refused_at(store: JobStore, redis: Redis) -> None:
    assert read(store).memory_bytes > 100_000
    assert read(store).max_memory_bytes == 0
    redis.config_set("maxmemory", 100 << 20)
    try:
        assert read(store).max_memory_bytes == 90 << 20
    finally:
        redis.config_set("maxmemory", 0)


def run_one(store: JobStore) -> None:
    submit(store)
    run(store)


def running(store: JobStore) -> JobRecord:
    submit(store)
    return claim(store)


def reported(store: JobStore) -> JobRecord:
    """A job that has ended, with a webhook that is due."""
    submission = Submission(prompt(webhook="https://hooks.example/"), by("alice"))
    return store.cancel(store.accept([submission]).records[0].id)


def _fail(*_: object) -> None:
    raise StorageUnavailable("It is read-only.")
