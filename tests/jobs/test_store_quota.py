"""What is kept for a client, its networks and everybody has limits, and what is kept no more counts no more."""

import io
import json
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import (
    QueueFull,
    RiffusionError,
    StorageFull,
    StorageUnavailable,
    StoreUnavailable,
    TooManyRequests,
)
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Quota, Tenant
from riffusion.jobs.uploads import UploadInfo, UploadStore
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import MODEL, accept, by, claim, expire, keys, prompt, run, submit, success

PICTURE = UploadInfo("image", "image/png")
SITE = tuple(f"address:2001:db8:0:{part}::/{bits}" for part, bits in (("0", 56), ("0", 48)))


def subscriber(number: int, quota: Quota) -> Tenant:
    """One /64 of a site."""
    return Tenant(f"address:2001:db8:0:{number:x}::/64", SITE, quota=quota)


def refused(error: type[RiffusionError], call: Callable[[], object]) -> RiffusionError:
    with pytest.raises(error) as caught:
        call()
    return caught.value


def kept(redis: Redis, scope: str) -> dict[str, int]:
    found: dict[bytes, bytes] = redis.hgetall(f"kept:{scope}")  # type: ignore[assignment]
    return {name.decode(): int(value) for name, value in found.items()}


class TestRecords:
    def test_copies_are_charged_and_kept_like_any_other(self, store: JobStore, redis: Redis) -> None:
        client = by("alice", quota=Quota(creates_per_minute=60, jobs_kept=20))
        seeded = [Submission(prompt(seed=7), client)]
        store.accept(seeded)
        run(store)
        for _ in range(19):
            store.accept(seeded)
        error = refused(TooManyRequests, lambda: store.accept(seeded))
        assert "20 jobs of yours are kept" in str(error)
        assert kept(redis, "alice")["jobs"] == 20

    def test_create_and_delete_leaves_a_limited_number_of_traces(self, store: JobStore, redis: Redis) -> None:
        """A tombstone stays for days, and what an idempotency key stands for for one."""
        client = by("alice", quota=Quota(jobs_kept=3))
        for number in range(12):
            record = accept(store, [Submission(prompt(), client)], f"{number}").records[0]
            store.delete(record.id)
        error = refused(TooManyRequests, lambda: store.accept([Submission(prompt(), client)]))
        assert "12 jobs and uploads a day" in str(error)
        assert len(keys(redis, "gone:*")) == len(keys(redis, "idem:*")) == 12
        redis.delete("day:alice")  # as on another day
        store.accept([Submission(prompt(), client)])

    def test_long_requests_count_by_their_bytes(self, store: JobStore) -> None:
        client = by("alice", quota=Quota(request_bytes=50_000))
        long = [Submission(prompt("🎷" * 2000, negative_prompt="🎷" * 2000), client)]
        for _ in range(3):
            store.accept(long)
        refused(TooManyRequests, lambda: store.accept(long))
        store.accept([Submission(prompt(), client)])

    @pytest.mark.parametrize("end", ["delete", "expire"])
    def test_what_goes_makes_room(self, store: JobStore, redis: Redis, sweep: Callable[[], int], end: str) -> None:
        client = by("alice", quota=Quota(jobs_kept=1, request_bytes=200, stored_bytes=4000))
        store.accept([Submission(prompt(), client)])
        record = run(store)
        assert kept(redis, "alice")["stored_bytes"] == kept(redis, "all")["stored_bytes"] == 3000
        refused(TooManyRequests, lambda: store.accept([Submission(prompt(), client)]))
        if end == "delete":
            store.delete(record.id)
        else:
            expire(redis, record)
            sweep()
        assert keys(redis, "kept:*") == set()
        store.accept([Submission(prompt(), client)])

    def test_results_count_with_uploads(
        self, store: JobStore, redis: Redis, files: Storage, settings: Settings
    ) -> None:
        client = by("alice", quota=Quota(stored_bytes=3500))
        store.accept([Submission(prompt(), client)])
        run(store)  # 3000 bytes
        uploads = UploadStore(redis, files, settings)
        refused(TooManyRequests, lambda: uploads.begin(client, 600))
        uploads.begin(client, 500)
        uploads.add(client, io.BytesIO(bytes(500)), PICTURE)
        assert "3500" not in str(refused(TooManyRequests, lambda: uploads.add(client, io.BytesIO(b"x"), PICTURE)))
        store.accept([Submission(prompt(), client)])  # the last one that begins below the limit
        run(store)
        refused(TooManyRequests, lambda: store.accept([Submission(prompt(), client)]))

    def test_an_upload_that_expires_makes_room(
        self, redis: Redis, files: Storage, settings: Settings, sweep: Callable[[], int]
    ) -> None:
        uploads, client = UploadStore(redis, files, settings), by("alice", quota=Quota(stored_bytes=5))
        upload = uploads.add(client, io.BytesIO(b"12345"), PICTURE)
        refused(TooManyRequests, lambda: uploads.begin(client, 1))
        redis.zadd("sweep_at", {f"upload:{upload.id}": 1})
        sweep()
        uploads.begin(client, 5)
        assert keys(redis, "kept:*") == set()

    def test_a_copys_files_are_charged_to_who_made_them(
        self, store: JobStore, redis: Redis, sweep: Callable[[], int]
    ) -> None:
        submit(store, seed=7)
        made = run(store)
        copy = submit(store, seed=7)
        store.delete(made.id)
        sweep()
        assert kept(redis, "alice")["stored_bytes"] == kept(redis, "all")["stored_bytes"] == 3000
        store.delete(copy.id)
        redis.zadd("sweep_at", {f"job:{made.id}": 1})
        sweep()
        assert keys(redis, "kept:*") | keys(redis, "charged:*") == set()

    def test_an_upload_that_is_registered_twice_counts_once(
        self, redis: Redis, files: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Redis did it, the reply got lost, and the script is sent once more."""
        uploads = UploadStore(redis, files, settings)
        run = uploads._database.run

        def lose_a_reply(script: str, *args: str | bytes | float, resend: bool = True) -> object:
            run(script, *args, resend=resend)
            return run(script, *args, resend=resend)

        monkeypatch.setattr(uploads._database, "run", lose_a_reply)
        uploads.add(by("alice", quota=Quota(stored_bytes=1500)), io.BytesIO(bytes(1000)), PICTURE)
        assert kept(redis, "alice")["stored_bytes"] == 1000

    def test_an_upload_that_is_not_stored_counts_no_longer(
        self,
        redis: Redis,
        files: Storage,
        settings: Settings,
        sweep: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*_: object) -> None:
            raise StorageUnavailable("no")

        uploads = UploadStore(redis, files, settings)
        with monkeypatch.context() as patch:
            patch.setattr(files, "put", refuse)
            refused(StorageUnavailable, lambda: uploads.add(by("alice"), io.BytesIO(bytes(1000)), PICTURE))
        sweep()
        assert keys(redis, "kept:*") == set()

    def test_everybody_together(self, redis: Redis, files: Storage, settings: Settings) -> None:
        small = settings.model_copy(update={"max_stored_bytes": 10})
        store, uploads = JobStore(redis, small), UploadStore(redis, files, small)
        uploads.add(by("alice"), io.BytesIO(b"123456"), PICTURE)
        refused(StorageFull, lambda: uploads.begin(by("bob"), 5))
        refused(StorageFull, lambda: uploads.add(by("bob"), io.BytesIO(b"12345"), PICTURE))
        uploads.add(by("bob"), io.BytesIO(b"1234"), PICTURE)
        submit(store)
        run(store)
        refused(StorageFull, lambda: submit(store, client="carol"))


class TestMemory:
    @pytest.fixture(autouse=True)
    def _whole_again(self, redis: Redis) -> object:
        yield
        redis.config_set("maxmemory", 0)

    def test_a_tenth_is_kept_for_what_ends_jobs_and_for_the_broker(self, store: JobStore, redis: Redis) -> None:
        submit(store)
        record = claim(store)
        used = int(redis.info("memory")["used_memory"])  # type: ignore[index]
        redis.config_set("maxmemory", int(used * 1.05))
        error = refused(StoreUnavailable, lambda: submit(store))
        assert "memory is full" in str(error)
        redis.lpush("riffusion.tiny", "m" * 1000)  # as the broker would
        assert store.finish(record.id, record.token, success(record))
        redis.config_set("maxmemory", int(used * 1.5))
        submit(store)


class TestNetworks:
    def test_a_site_creates_a_few_times_what_a_subscriber_may(self, store: JobStore) -> None:
        quota = Quota(creates_per_minute=10)

        def creates(clients: list[Tenant]) -> int:
            count = 0
            for client in clients:
                try:
                    while True:
                        store.accept([Submission(prompt(), client)])
                        count += 1
                except TooManyRequests:
                    continue
            return count

        assert creates([subscriber(number, quota) for number in range(50)]) == 20  # the /56 and the /48 are one here

    @pytest.mark.parametrize("limit", ["jobs_in_flight", "jobs_kept"])
    def test_a_site_has_no_more_than_its_share(self, store: JobStore, limit: str) -> None:
        quota = Quota(**{limit: 2})
        for number in range(4):
            store.accept([Submission(prompt(), subscriber(number, quota))])
        refused(TooManyRequests, lambda: store.accept([Submission(prompt(), subscriber(5, quota))]))

    def test_many_addresses_get_no_more_of_the_queue(self, store: JobStore) -> None:
        for number in range(40):
            store.accept([Submission(prompt(), subscriber(number, Quota()))])
        for _ in range(10):
            submit(store, client="single")
        first = [claim(store).tenant for _ in range(20)]
        assert first.count("single") >= 5

    def test_nothing_is_left_of_a_network(self, store: JobStore, redis: Redis) -> None:
        record = store.accept([Submission(prompt(), subscriber(1, Quota(creates_per_minute=600_000)))]).records[0]
        store.cancel(record.id)
        store.delete(record.id)
        assert keys(redis, "active:*") | keys(redis, "kept:*") | keys(redis, f"places:{MODEL}") == set()


class TestPlaces:
    def fill(self, store: JobStore, client: str) -> int:
        """As many jobs of a client as the queue takes; how many those were."""
        for count in range(200):
            try:
                submit(store, client=client)
            except QueueFull:
                return count
        pytest.fail("it takes any number")

    def test_three_clients_do_not_close_the_queue(self, configured: Callable[..., JobStore]) -> None:
        store = configured(max_queued=100)
        assert self.fill(store, "flood0") == 40  # half of what those without a key may have
        assert sum(self.fill(store, f"flood{number}") for number in range(1, 9)) < 40
        submit(store, client="somebody else")
        submit(store, client="key:site")

    def test_places_are_kept_for_keys(self, configured: Callable[..., JobStore]) -> None:
        store = configured(max_queued=100)
        for number in range(200):
            try:
                submit(store, client=f"flood{number}")
            except QueueFull:
                break
        refused(QueueFull, lambda: submit(store, client="one more"))
        for _ in range(10):
            submit(store, client="key:site", weight=100)

    def test_the_heaviest_is_refused_first(self, configured: Callable[..., JobStore]) -> None:
        store = configured(max_queued=50)
        self.fill(store, "heavy")
        error = refused(QueueFull, lambda: submit(store, client="heavy"))
        assert "no more of yours" in str(error)
        submit(store, client="light")

    def test_places_come_back(self, configured: Callable[..., JobStore], redis: Redis) -> None:
        store = configured(max_queued=20)
        for _ in range(3):
            self.fill(store, "alice")
            while store.claim(MODEL, "w1", f"{len(keys(redis))}-{redis.incr('n')}"):
                pass
        assert redis.exists(f"places:{MODEL}") == 0


def test_a_record_is_small(store: JobStore, redis: Redis) -> None:
    record = submit(store, text="a funk bassline with a jazzy saxophone solo")
    stored = json.loads(redis.hget(f"job:{record.id}", "request"))  # type: ignore[arg-type]
    assert set(stored) == {"mode", "prompt", "seed"}
    assert record.request["steps"] == 20
