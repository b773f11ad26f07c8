"""What a revoked key owned: left to another key or deleted, whatever state it is in."""

import io
import threading
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Conflict, Gone, NotFound
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.gallery import GalleryStore
from riffusion.jobs.key_data import KeyData, Owned
from riffusion.jobs.keys import Key, KeyStore
from riffusion.jobs.record import JobStatus
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, Quota
from riffusion.jobs.uploads import UploadInfo, UploadStore
from riffusion.requests import parse
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import by, claim, keys, run, store_files, submit, success

PICTURE = UploadInfo("image", "image/png", width=512, height=512)
OLD = "00ff"


@pytest.fixture
def data(redis: Redis, settings: Settings) -> KeyData:
    return KeyData(redis, settings)


@pytest.fixture
def heir(redis: Redis, settings: Settings) -> Key:
    return KeyStore(redis, settings).create("heir", UNLIMITED)[1]


@pytest.fixture
def uploads(redis: Redis, files: Storage, settings: Settings) -> UploadStore:
    return UploadStore(redis, files, settings)


def test_the_heir_owns_jobs_of_every_status(store: JobStore, data: KeyData, heir: Key) -> None:
    first, second, third = (submit(store, f"key:{OLD}") for _ in range(3))
    done, running = run(store), claim(store)
    other = submit(store, "key:00ff1")
    assert data.leave(OLD, heir) == Owned(3, 0)
    assert {record.id for record in store.list(by(f"key:{heir.id}")).records} == {first.id, second.id, third.id}
    for record in (first, second, third):
        assert store.get(record.id, f"key:{heir.id}").tenant == f"key:{heir.id}"
        with pytest.raises(NotFound):
            store.get(record.id, f"key:{OLD}")
    assert store.get(done.id).result == done.result
    assert store.finish(running.id, running.token, success(running))
    assert {run(store).id, run(store).id} == {third.id, other.id}
    assert store.get(other.id).tenant == "key:00ff1"
    assert data.leave(OLD, heir) == Owned(0, 0)


def test_nothing_counts_for_the_key_any_more(
    store: JobStore, redis: Redis, data: KeyData, heir: Key, uploads: UploadStore
) -> None:
    quota = Quota(jobs_in_flight=2, jobs_kept=10, request_bytes=10_000, stored_bytes=10_000)
    owner = by(f"key:{OLD}", quota=quota)
    uploads.add(owner, io.BytesIO(b"12345"), PICTURE)
    for seed in (1, 2, 3):
        store.accept([Submission(parse({"mode": "text-to-audio", "prompt": "x", "seed": seed}), by(f"key:{OLD}"))])
    run(store)
    claim(store)
    before = redis.hgetall(f"kept:key:{OLD}")
    assert redis.scard(f"active:key:{OLD}") == 2
    assert data.leave(OLD, heir) == Owned(3, 1)
    assert not [key for key in keys(redis) if key.endswith(f":key:{OLD}")]
    assert redis.hgetall(f"kept:key:{heir.id}") == before
    assert redis.scard(f"active:key:{heir.id}") == 2
    assert redis.zscore("places:tiny", f"key:{heir.id}") == 1
    run(store)
    assert redis.exists("places:tiny") == 0
    assert redis.scard(f"active:key:{heir.id}") == 1


def test_what_the_heir_is_left_in_the_gallery_counts_for_it(
    store: JobStore, redis: Redis, data: KeyData, heir: Key, settings: Settings
) -> None:
    submit(store, f"key:{OLD}")
    record = run(store)
    share_id = ShareStore(redis, store, settings).publish(record.id)
    gallery = GalleryStore(redis, store, settings)
    gallery.add(record.id)
    expires = redis.zscore(f"listed:key:{OLD}", share_id)
    data.leave(OLD, heir)
    assert not redis.exists(f"listed:key:{OLD}")
    assert redis.zscore(f"listed:key:{heir.id}", share_id) == expires
    assert gallery.is_listed(share_id)
    store.delete(record.id)
    assert not redis.exists(f"listed:key:{heir.id}", "gallery")


def test_clips_serve_the_heirs_equal_requests(store: JobStore, redis: Redis, data: KeyData, heir: Key) -> None:
    submit(store, f"key:{OLD}", seed=7)
    record = run(store)
    data.leave(OLD, heir)
    copy = submit(store, f"key:{heir.id}", seed=7)
    assert (store.get(copy.id).attempts, store.get(record.id).attempts) == (0, 1)
    data.delete(heir.id)
    assert not redis.keys("made:*")


def test_uploads_serve_the_heirs_jobs(store: JobStore, data: KeyData, heir: Key, uploads: UploadStore) -> None:
    upload = uploads.add(by(f"key:{OLD}"), io.BytesIO(b"x"), PICTURE)
    request = parse({"mode": "riff", "prompt": "x", "init": {"upload": upload.id}})
    waiting = store.accept([Submission(request, by(f"key:{OLD}"))]).records[0]
    data.leave(OLD, heir)
    (left,) = uploads.list(by(f"key:{heir.id}")).uploads
    assert (left.id, left.key, left.owner) == (upload.id, upload.key, f"key:{heir.id}")
    assert store.accept([Submission(request, by(f"key:{heir.id}"))]).records[0].inputs == waiting.inputs


@pytest.mark.parametrize("for_end_users", [False, True])
def test_end_users_stay_apart_where_the_heir_has_any(
    store: JobStore, redis: Redis, settings: Settings, data: KeyData, *, for_end_users: bool
) -> None:
    heir = KeyStore(redis, settings).create("heir", UNLIMITED, for_end_users=for_end_users)[1]
    own, ann, bob = (submit(store, f"key:{OLD}{user}") for user in ("", "/ann", "/b*[b"))
    assert data.count(OLD) == Owned(3, 0)
    assert data.leave(OLD, heir) == Owned(3, 0)
    ends = ("", "/ann", "/b*[b") if for_end_users else ("", "", "")
    assert [store.get(record.id).tenant for record in (own, ann, bob)] == [f"key:{heir.id}{end}" for end in ends]


def test_everything_is_deleted(
    store: JobStore, files: Storage, data: KeyData, uploads: UploadStore, sweep: Callable[[], int]
) -> None:
    upload = uploads.add(by(f"key:{OLD}"), io.BytesIO(b"x"), PICTURE)
    done, waiting, kept = submit(store, f"key:{OLD}"), submit(store, f"key:{OLD}/ann"), submit(store, "alice")
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    assert data.delete(OLD) == Owned(2, 1)
    for job in (done, waiting):
        with pytest.raises(Gone):
            store.get(job.id)
    store.redis.zadd("sweep_at", {f"upload:{upload.id}": 1})
    while sweep():
        pass
    assert [*files.list("results/"), *files.list("uploads/")] == []
    assert store.get(kept.id).status is JobStatus.QUEUED
    assert data.count(OLD) == Owned(0, 0)


def test_what_is_gone_already_is_skipped(store: JobStore, redis: Redis, data: KeyData, heir: Key) -> None:
    for number in range(250):
        redis.zadd(f"of:key:{OLD}", {f"{number:046x}": 0})
    job = submit(store, f"key:{OLD}")
    assert data.leave(OLD, heir) == Owned(1, 0)
    redis.zadd(f"of:key:{heir.id}", {"0" * 46: 0})
    assert data.delete(heir.id) == Owned(1, 0)
    with pytest.raises(Gone):
        store.get(job.id)


def test_a_key_leaves_nothing_to_itself(store: JobStore, data: KeyData, heir: Key) -> None:
    submit(store, f"key:{heir.id}")
    with pytest.raises(Conflict):
        data.leave(heir.id, heir)
    assert data.count(heir.id) == Owned(1, 0)


def test_jobs_run_while_they_are_left(store: JobStore, redis: Redis, data: KeyData, heir: Key) -> None:
    ids = {submit(store, f"key:{OLD}").id for _ in range(200)}

    def work(worker: str) -> None:
        for number in range(50):
            record = store.claim("tiny", worker, f"{worker} {number}")
            assert record is not None
            assert store.finish(record.id, record.token, success(record))

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    left = data.leave(OLD, heir)
    for thread in threads:
        thread.join()
    assert left == Owned(200, 0)
    assert {store.get(job_id).status for job_id in ids} == {JobStatus.SUCCEEDED}
    assert not keys(redis, "active:*") | keys(redis, "places:*") | keys(redis, f"*:key:{OLD}")
    assert redis.hget(f"kept:key:{heir.id}", "jobs") == b"200"  # type: ignore[comparison-overlap]
