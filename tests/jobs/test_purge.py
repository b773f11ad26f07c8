"""After a purge nothing in Redis or in the storage names the client, and others keep what they have."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from riffusion.errors import NotFound, StorageUnavailable, StoreUnavailable
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.erasures import digest
from riffusion.jobs.key_data import KeyData
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.purge import Purge
from riffusion.jobs.reconcile import Reconciliation
from riffusion.jobs.record import JobRecord
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, Quota, Tenant
from riffusion.jobs.uploads import UploadStore
from riffusion.requests import parse
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import (
    accept,
    add_upload,
    by,
    claim,
    expire,
    keys,
    prompt,
    run,
    store_files,
    submit,
    success,
    to_sweep,
)
from tests.jobs.test_reconcile import restore

LIMITED = Quota(creates_per_minute=60, jobs_in_flight=50, jobs_kept=100, request_bytes=1 << 20, stored_bytes=1 << 30)
NAMES = ["key:0123abcd", "key:0123abcd/ann@example.org", "address:192.0.2.77", "address:2001:db8:1:2::/64"]


def tenant(name: str) -> Tenant:
    networks = ("address:2001:db8:1::/56", "address:2001:db8::/48") if "::" in name else ()
    return Tenant(name, networks, name if name.startswith("key:") else None, quota=LIMITED)


@pytest.fixture
def purge(redis: Redis, files: Storage, settings: Settings) -> Purge:
    return Purge(redis, files, settings)


@pytest.fixture
def uploads(redis: Redis, files: Storage, settings: Settings) -> UploadStore:
    return UploadStore(redis, files, settings)


def everything(redis: Redis) -> str:
    """All keys of Redis with all that they hold."""
    read: dict[bytes, Callable[[Any], Any]] = {
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"string": redis.get,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"none": lambda _: None,  # gone since the scan named it
    }
    return "\n".join(f"{key!r} {read[redis.type(key)](key)!r}" for key in redis.scan_iter())  # type: ignore[index]


def sweep_all_now(redis: Redis) -> None:
    """Makes everything due for the sweep."""
    redis.zadd("sweep_at", dict.fromkeys(to_sweep(redis), 1))


def all_of(
    *, store: JobStore, files: Storage, uploads: UploadStore, redis: Redis, settings: Settings, name: str
) -> list[str]:
    """Everything that a client can have, in every state; returns the ids."""
    me, webhook = tenant(name), {"webhook": "https://hooks.example/x"} if name.startswith("key:") else {}
    upload = add_upload(uploads, me, name.encode())

    def new(**fields: object) -> JobRecord:
        request = parse({"mode": "text-to-audio", "prompt": f"of {name}", **webhook, **fields})
        return accept(store, [Submission(request, me)], key=f"{name}{fields}").records[0]

    done = new(seed=5)
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    ShareStore(redis, store, settings).publish(done.id)
    copy = new(seed=5, fresh=False)
    assert copy.status == "succeeded"
    deleted, expired = new(seed=6), new(seed=7)
    for _ in range(2):
        run(store)
    store.delete(deleted.id)
    expire(redis, expired)
    new(mode="riff", init={"upload": upload.id})
    running = claim(store)
    store_files(files, running)
    store.progress(running.id, running.token, 1, 9, b"preview")
    waiting = new(mode="riff", init={"job": done.id})
    # One webhook is being tried, one has failed, the rest are in the queue.
    database = Database(redis, settings)
    for line, lane, flat in database.run("webhook_take", 5, 5):
        tried = pairs(flat)[b"id"]
        database.run("webhook_report", line, lane, tried, 1, "pending", "no", 9, "")
    database.run("webhook_take", 5, 5)
    return [upload.id, *(record.id for record in (done, copy, deleted, expired, running, waiting))]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_purged_client_is_left(
    *, store: JobStore, files: Storage, uploads: UploadStore, redis: Redis, settings: Settings, purge: Purge, name: str
) -> None:
    other = submit(store, "address:192.0.2.7")  # begins like one of the others
    kept = run(store)
    store_files(files, store.get(other.id))
    ids = all_of(store=store, files=files, uploads=uploads, redis=redis, settings=settings, name=name)
    purged = purge.run(name)
    assert purged.jobs >= 5
    assert purged.uploads == 1
    assert purged.last_file_s == pytest.approx(2 * settings.lease_s, abs=2)
    sweep_all_now(redis)
    purge.run(name)
    left = everything(redis)
    assert name.removeprefix("key:") not in left
    assert not [each for each in ids if each in left]
    assert set(files.list("results/")) == {f"{kept.folder}clip.png", f"{kept.folder}clip.mp3"}
    assert list(files.list("uploads/")) == []
    assert name not in "".join(files.get(key).decode(errors="replace") + key for key in files.list(""))
    assert store.get(other.id) == kept
    assert redis.hgetall("kept:all") == {b"stored_bytes": b"3000"}


def test_purging_a_key_purges_its_end_users(store: JobStore, redis: Redis, purge: Purge) -> None:
    for name in ("key:k1", "key:k1/ann", "key:k1/bob", "key:k11", "key:k2/ann"):
        submit(store, name)
    assert purge.run("key:k1").jobs == 3
    left = everything(redis)
    assert "key:k1'" not in left
    assert "key:k1/" not in left
    assert "key:k11" in left


def test_a_purge_that_broke_off_is_repeated(
    store: JobStore, files: Storage, redis: Redis, purge: Purge, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(store, "address:192.0.2.77")
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))

    def refuse(_: object) -> None:
        raise StorageUnavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(files, "delete", refuse)
        with pytest.raises(StorageUnavailable):
            purge.run("address:192.0.2.77")
    with pytest.raises(NotFound):
        store.get(record.id)
    redis.zadd("sweep_at", {f"job:{record.id}": 1})
    purge.run("address:192.0.2.77")
    assert list(files.list("results/")) == []


def test_a_purge_may_break_off_anywhere(
    *, store: JobStore, files: Storage, uploads: UploadStore, redis: Redis, settings: Settings, purge: Purge
) -> None:
    """Before each of its writes; the last round is one that doesn't."""
    name, write = NAMES[0], Database.run
    for last in itertools.count():
        ids = all_of(store=store, files=files, uploads=uploads, redis=redis, settings=settings, name=name)
        calls = itertools.count()

        def breaks(self: Database, *args: Any, last: int = last, calls: Iterator[int] = calls, **options: Any) -> Any:
            if next(calls) == last:
                raise StoreUnavailable("no")
            return write(self, *args, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Database, "run", breaks)
            with suppress(StoreUnavailable):
                purge.run(name)
        redis.delete("erasing")
        purge.run(name)
        sweep_all_now(redis)
        purge.run(name)
        left = everything(redis)
        assert name not in left, last
        assert not [each for each in ids if each in left], last
        assert list(files.list("results/")) == list(files.list("uploads/")) == [], last
        if next(calls) <= last:
            break


def test_files_that_others_show_stay_until_those_go(
    store: JobStore, files: Storage, redis: Redis, purge: Purge, sweep: Callable[[], int]
) -> None:
    """The holder of a secret has two addresses, and asks for one of them only."""
    home, work = (Tenant(f"address:192.0.2.{host}", owner="secret:1") for host in (1, 2))
    store.accept([Submission(prompt(seed=7), home)])
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    (copy,) = store.accept([Submission(prompt(seed=7), work)]).records
    purge.run(home.name)
    assert home.name not in everything(redis)
    assert files.get(f"{record.folder}clip.png")
    store.delete(copy.id)
    redis.zadd("sweep_at", {f"job:{record.id}": 1})
    sweep()
    assert list(files.list("results/")) == []
    assert not redis.exists("kept:all")


def test_a_restore_brings_no_purged_client_back(
    store: JobStore, files: Storage, redis: Redis, settings: Settings, purge: Purge
) -> None:
    name = "address:192.0.2.77"
    for _ in range(2):
        submit(store, name)
    store.delete(run(store).id)  # whose tombstone names the client
    restore(redis, lambda: purge.run(name))
    assert name in everything(redis)
    reconciliation = Reconciliation(redis, files, settings, min_age_s=600)
    returned = reconciliation.run(erase_again=True).returned
    assert f"client {name}" in returned.examples
    assert name not in everything(redis)


def test_what_a_client_makes_after_its_purge_stays(
    store: JobStore, files: Storage, redis: Redis, settings: Settings
) -> None:
    name = "address:192.0.2.77"
    later = submit(store, name)
    files.put(f"erasures/1-{'0' * 16}.txt", f"client {digest(name)} {later.created_at - 10:.0f}".encode(), "text/plain")
    assert Reconciliation(redis, files, settings, min_age_s=600).run(erase_again=True).returned.count == 0
    assert store.get(later.id) == later


def test_what_was_left_to_a_client_after_its_purge_stays(
    store: JobStore, files: Storage, redis: Redis, settings: Settings
) -> None:
    _, heir = KeyStore(redis, settings).create("heir", UNLIMITED)
    left = submit(store, "key:00ff")
    upload = add_upload(UploadStore(redis, files, settings), by("key:00ff"))
    purged_at = f"{left.created_at - 10:.0f}"
    files.put(f"erasures/1-{'0' * 16}.txt", f"client {digest(f'key:{heir.id}')} {purged_at}".encode(), "text/plain")
    for thing in (f"job:{left.id}", f"upload:{upload.id}"):
        redis.hset(thing, "created_at", "1")
    KeyData(redis, settings).leave("00ff", heir)
    assert Reconciliation(redis, files, settings, min_age_s=600).run(erase_again=True).returned.count == 0
    assert store.get(left.id).tenant == f"key:{heir.id}"


def test_purging_a_network_purges_those_within_it(store: JobStore, redis: Redis, purge: Purge) -> None:
    for site in "2001:db8:1", "2001:db8:2":
        networks = (f"address:{site}::/56", f"address:{site}::/48")
        each = replace(tenant(f"address:{site}:2::/64"), networks=networks)
        kept = store.accept([Submission(prompt(), each)]).records[0]
        store.delete(store.accept([Submission(prompt(), each)]).records[0].id)
    purge.run("address:2001:db8:1::/48")
    assert "2001:db8:1" not in everything(redis)
    assert store.get(kept.id) == kept
    assert len(keys(redis, "gone:*")) == 1
