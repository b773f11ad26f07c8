"""Wake-ups, and the reaper that replaces lost ones."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from riffusion.errors import StorageUnavailable
from riffusion.jobs.reaper import Reaper
from riffusion.jobs.record import JobStatus
from riffusion.jobs.store import JobStore
from riffusion.jobs.wakeup import _AT_ONCE, TASK, WakeUps, queue_name
from riffusion.settings import Settings
from riffusion.storage import open_storage
from tests.conftest import free_port, wait_until
from tests.jobs.conftest import MODEL, claim, lose, submit


def test_a_wake_up_is_a_message_in_the_models_queue(settings: Settings, redis: Redis) -> None:
    assert WakeUps(settings).publish(MODEL, 3)
    messages: list[bytes] = redis.lrange(queue_name(MODEL), 0, -1)  # type: ignore[assignment]
    assert [json.loads(message)["headers"]["task"] for message in messages] == [TASK] * 3
    assert redis.llen(queue_name(MODEL)) == 3


def test_the_store_counts_what_is_published(settings: Settings, store: JobStore) -> None:
    submit(store)
    assert store.reap() == {MODEL: 1}
    WakeUps(settings).publish(MODEL)
    time.sleep(0.6)  # the reaper's turn comes again
    assert store.reap() == {}


def test_a_broker_that_is_not_there_costs_a_moment_and_no_error(settings: Settings) -> None:
    gone = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    started = time.monotonic()
    assert not WakeUps(gone).publish(MODEL)
    assert time.monotonic() - started < 10


def test_a_crowd_that_publishes_waits_for_a_moment_only(settings: Settings, redis: Redis) -> None:
    wakeups = WakeUps(settings)
    held = [wakeups._turns.acquire() for _ in range(_AT_ONCE)]
    assert not wakeups.publish(MODEL)
    for _ in held:
        wakeups._turns.release()
    assert wakeups.publish(MODEL)
    assert redis.llen(queue_name(MODEL)) == 1


class TestReaper:
    @pytest.fixture
    def reaping(self, store: JobStore, settings: Settings) -> Iterator[Reaper]:
        found = Reaper(store, open_storage(settings))
        found.start()
        yield found
        found.stop()

    @pytest.mark.usefixtures("reaping")
    def test_a_job_whose_wake_up_was_never_published_gets_one(self, store: JobStore, redis: Redis) -> None:
        submit(store)
        wait_until(lambda: redis.llen(queue_name(MODEL)) == 1)

    @pytest.mark.usefixtures("reaping")
    def test_a_job_of_a_dead_worker_waits_again(self, store: JobStore, redis: Redis) -> None:
        submit(store)
        record = claim(store)
        lose(redis, record)
        wait_until(lambda: store.get(record.id).status is JobStatus.QUEUED)

    @pytest.mark.usefixtures("reaping")
    def test_old_files_go(self, store: JobStore, settings: Settings) -> None:
        files = open_storage(settings)
        record = submit(store)
        files.put(f"results/{record.id}/1/clip.png", b"x", "image/png")
        store.delete(record.id)
        wait_until(lambda: not list(files.list("results/")))

    def test_a_storage_that_refuses_does_not_stop_it(
        self, store: JobStore, settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: object) -> None:
            raise StorageUnavailable("no")

        files = open_storage(settings)
        monkeypatch.setattr(files, "list", refuse)
        store.delete(submit(store).id)
        self.lives_on(Reaper(store, files), store, redis)

    def test_a_bug_does_not_stop_it(self, store: JobStore, settings: Settings, redis: Redis) -> None:
        reaper = Reaper(store, open_storage(settings))
        reap: Callable[[], None] = reaper.reap
        calls: list[int] = []

        def stumble() -> None:
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError
            reap()

        reaper._threads[0]._args = (stumble,)  # type: ignore[attr-defined]
        self.lives_on(reaper, store, redis)

    def test_stops_in_greenlets_too(self) -> None:
        script = [sys.executable, "-m", "gevent.monkey", "--module", "tests.jobs.reaper_in_greenlets"]
        assert subprocess.run(script, timeout=60, check=False, cwd=Path(__file__).parents[2]).returncode == 0

    def lives_on(self, reaper: Reaper, store: JobStore, redis: Redis) -> None:
        reaper.start()
        time.sleep(1.5)
        submit(store)
        wait_until(lambda: redis.llen(queue_name(MODEL)) == 1)
        reaper.stop()
