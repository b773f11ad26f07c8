"""What one client may create, and have in flight."""

import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import QueueFull, TooManyRequests
from riffusion.jobs.acceptance import Acceptance, Submission
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Quota
from riffusion.jobs.uploads import UploadStore
from riffusion.settings import Settings
from riffusion.storage import open_storage
from tests.jobs import conftest
from tests.jobs.conftest import at_once, by, claim, keys, lose, outwait, overrun, prompt, run, success


def accept(store: JobStore, quota: Quota, count: int = 1, client: str = "alice", key: str | None = None) -> Acceptance:
    return conftest.accept(store, [Submission(prompt(), by(client, quota=quota))] * count, key)


def later(redis: Redis, client: str, seconds: float) -> None:
    """Lets that much time pass for a client's allowance."""
    redis.set(f"rate:{client}", str(float(redis.get(f"rate:{client}") or 0) - seconds))  # type: ignore[arg-type]


class TestCreates:
    def test_a_minutes_worth_may_come_at_once_and_comes_back_evenly(self, store: JobStore, redis: Redis) -> None:
        quota = Quota(creates_per_minute=6)
        left = []
        for _ in range(6):
            allowance = accept(store, quota).allowance
            assert allowance is not None
            left.append(allowance.left)
        assert left == [5, 4, 3, 2, 1, 0]
        with pytest.raises(TooManyRequests, match="6 jobs and uploads a minute") as caught:
            accept(store, quota)
        assert 9 <= caught.value.retry_after <= 10
        later(redis, "alice", 10)
        accept(store, quota)
        with pytest.raises(TooManyRequests):
            accept(store, quota)

    def test_clients_do_not_share_it(self, store: JobStore) -> None:
        quota = Quota(creates_per_minute=1)
        for client in ("alice", "bob"):
            accept(store, quota, client=client)

    def test_many_at_once_get_no_more(self, store: JobStore) -> None:
        def attempt(_: int) -> bool:
            try:
                return bool(accept(store, Quota(creates_per_minute=5)))
            except TooManyRequests:
                return False

        assert sum(at_once(attempt)) == 5

    def test_what_is_refused_costs_nothing(self, store: JobStore, configured: Callable[..., JobStore]) -> None:
        quota = Quota(creates_per_minute=4)
        accept(store, quota, 3)
        with pytest.raises(TooManyRequests):
            accept(store, quota, 2)
        with pytest.raises(QueueFull):
            accept(configured(max_queued=3), quota)
        accept(store, quota)

    def test_an_array_beyond_a_minutes_worth_needs_a_whole_allowance(self, store: JobStore, redis: Redis) -> None:
        quota = Quota(creates_per_minute=2)
        accept(store, quota, 4)
        with pytest.raises(TooManyRequests) as caught:
            accept(store, quota)
        assert 89 <= caught.value.retry_after <= 90  # what it took beyond its minute is paid back first
        later(redis, "alice", 90)
        accept(store, quota)

    def test_a_replay_is_no_create(self, store: JobStore) -> None:
        quota = Quota(creates_per_minute=1, jobs_in_flight=1)
        accept(store, quota, key="key")
        for _ in range(3):
            assert accept(store, quota, key="key").replayed

    def test_a_copy_is_a_create(self, store: JobStore) -> None:
        seeded = [Submission(prompt(seed=7), by("alice", quota=Quota(creates_per_minute=4)))]
        store.accept(seeded)
        run(store)
        for _ in range(3):
            assert store.accept(seeded).records[0].result is not None
        with pytest.raises(TooManyRequests):
            store.accept(seeded)

    def test_uploads_count_too(self, store: JobStore, redis: Redis, settings: Settings) -> None:
        quota = Quota(creates_per_minute=2)
        uploads = UploadStore(redis, open_storage(settings), settings)
        for _ in range(2):
            uploads.begin(by("alice", quota=quota), 1)
        with pytest.raises(TooManyRequests):
            uploads.begin(by("alice", quota=quota), 1)
        with pytest.raises(TooManyRequests):
            accept(store, quota)

    def test_idle_clients_leave_nothing_behind(self, store: JobStore, redis: Redis) -> None:
        accept(store, Quota(creates_per_minute=600))
        time.sleep(0.15)
        assert keys(redis, "rate:*") == set()


class TestInFlight:
    def test_only_so_many_wait_or_run(self, store: JobStore) -> None:
        quota = Quota(jobs_in_flight=3)
        accept(store, quota, 2)
        with pytest.raises(TooManyRequests, match="3 jobs of yours"):
            accept(store, quota, 2)
        accept(store, quota)
        claim(store)
        with pytest.raises(TooManyRequests):
            accept(store, quota)
        accept(store, quota, client="bob")

    @pytest.mark.parametrize("end", ["finish", "cancel", "delete", "outwait", "overrun"])
    def test_what_ends_makes_room(self, store: JobStore, redis: Redis, end: str) -> None:
        quota = Quota(jobs_in_flight=1)
        [record] = accept(store, quota).records
        if end in ("finish", "overrun"):
            record = claim(store)
        match end:
            case "finish":
                store.finish(record.id, record.token, success(record))
            case "cancel" | "delete":
                getattr(store, end)(record.id)
            case "outwait" | "overrun":
                (outwait if end == "outwait" else overrun)(redis, record)
                store.reap()
        accept(store, quota)

    def test_a_job_taken_back_still_counts(self, store: JobStore, redis: Redis) -> None:
        quota = Quota(jobs_in_flight=1)
        accept(store, quota)
        lose(redis, claim(store))
        store.reap()
        with pytest.raises(TooManyRequests):
            accept(store, quota)
