"""Records and files, compared both ways: what is reported, what is changed, and what is left alone."""

import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from riffusion.errors import (
    Gone,
    NotFound,
    ResultLost,
    SetupError,
    StorageUnavailable,
    Unauthorized,
    UnknownReference,
)
from riffusion.jobs.database import Database
from riffusion.jobs.erasures import ErasureLog
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.reconcile import Reconciliation, Report
from riffusion.jobs.record import JobRecord
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.jobs.uploads import Upload, UploadStore
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import add_upload, by, claim, store_files, submit, success, to_sweep

Reconcile = Callable[..., Report]
ORPHAN = f"results/{'ab' * 20}/clip.png"


@pytest.fixture
def reconcile(redis: Redis, files: Storage, settings: Settings) -> Reconcile:
    def call(*, even_all: bool = False, **asked: bool) -> Report:
        return Reconciliation(redis, files, settings, min_age_s=600, even_all=even_all).run(**asked)

    return call


@pytest.fixture
def uploads(redis: Redis, files: Storage, settings: Settings) -> UploadStore:
    return UploadStore(redis, files, settings)


@pytest.fixture
def age(settings: Settings) -> Callable[[], None]:
    """Lets all files be an hour old."""

    def call() -> None:
        for path in (settings.data_dir / "files").rglob("*"):
            os.utime(path, (path.stat().st_atime - 3600, path.stat().st_mtime - 3600))

    return call


def made(store: JobStore, files: Storage, client: str = "alice") -> JobRecord:
    submit(store, client)
    record = claim(store)
    store_files(files, record)
    store.finish(record.id, record.token, success(record))
    return store.get(record.id)


def restore(redis: Redis, change: Callable[[], object]) -> None:
    """What Redis holds is as before `change`, as from a backup."""
    before: dict[bytes, bytes] = {key: redis.dump(key) for key in redis.scan_iter()}  # type: ignore[misc]
    change()
    redis.flushall()
    for key, value in before.items():
        redis.restore(key, 0, value)


def test_where_both_agree_there_is_nothing_to_do(
    store: JobStore, files: Storage, uploads: UploadStore, reconcile: Reconcile, age: Callable[[], None]
) -> None:
    made(store, files)
    upload = add_upload(uploads, by("alice"))
    submit(store)
    running = claim(store)
    store_files(files, running)
    gone = made(store, files)
    store.delete(gone.id)  # its files are to be swept
    age()
    report = reconcile(erase_again=True, delete_orphans=True, mark_lost=True)
    assert report.known.count == 2 + 1 + 2 + 2
    assert report.orphans.count == report.young.count == report.foreign.count == 0
    assert report.lost_jobs.count == report.lost_uploads.count == report.returned.count == 0
    assert files.get(upload.key)


def test_a_file_without_a_record_is_deleted_once_it_is_old_and_on_request(
    store: JobStore, files: Storage, reconcile: Reconcile, age: Callable[[], None], settings: Settings
) -> None:
    kept = made(store, files)
    foreign = settings.data_dir / "files" / "notes.txt"
    foreign.write_text("the operator's own")
    files.put(ORPHAN, b"x", "image/png")
    assert reconcile(delete_orphans=True).young.count == 1
    age()
    report = reconcile()
    assert (report.orphans.count, report.orphans.bytes, report.orphans.examples) == (1, 1, [ORPHAN])
    assert report.foreign.examples == ["notes.txt"]
    assert ORPHAN in files.list("")
    assert reconcile(delete_orphans=True).orphans.count == 1
    assert set(files.list("")) == {f"{kept.folder}clip.png", f"{kept.folder}clip.mp3", "notes.txt"}


def test_a_job_without_its_files_is_gone_and_says_why(
    *, store: JobStore, files: Storage, redis: Redis, settings: Settings, reconcile: Reconcile, sweep: Callable[[], int]
) -> None:
    kept, lost, half = made(store, files), made(store, files, "bob"), made(store, files, "bob")
    shares = ShareStore(redis, store, settings)
    share_id = shares.publish(lost.id)
    files.delete([f"{lost.folder}clip.png", f"{lost.folder}clip.mp3", f"{half.folder}clip.mp3"])
    report = reconcile()
    assert report.lost_jobs.count == 2
    assert report.lost_clips == 1
    assert report.lost_by_client == {"bob": 2}
    assert store.get(lost.id) == lost
    reconcile(mark_lost=True)
    for record in (lost, half):
        with pytest.raises(ResultLost):
            store.get(record.id, "bob")
    with pytest.raises(Gone):
        shares.get(share_id)
    sweep()
    assert set(files.list("results/")) == {f"{kept.folder}clip.png", f"{kept.folder}clip.mp3"}
    assert redis.hget("kept:bob", "stored_bytes") is None


def test_an_upload_without_its_file_is_gone_and_may_be_sent_again(
    *,
    redis: Redis,
    store: JobStore,
    files: Storage,
    uploads: UploadStore,
    reconcile: Reconcile,
    sweep: Callable[[], int],
) -> None:
    made(store, files)
    lost = add_upload(uploads, by("alice"))
    files.delete([lost.key])
    assert reconcile(mark_lost=True).lost_uploads.count == 0  # its file may be on the way
    redis.hset(f"upload:{lost.id}", "created_at", "1")
    assert reconcile(mark_lost=True).lost_uploads.examples == [lost.id]
    sweep()
    with pytest.raises(NotFound):
        files.get(lost.key)
    again: Upload = add_upload(uploads, by("alice"))
    assert files.get(again.key)
    assert reconcile().lost_uploads.count == 0


def test_the_wrong_storage_or_redis_loses_nothing(
    store: JobStore, files: Storage, reconcile: Reconcile, age: Callable[[], None]
) -> None:
    record = made(store, files)
    files.delete(list(files.list("")))
    with pytest.raises(SetupError, match="are these the right ones"):
        reconcile(mark_lost=True)
    assert store.get(record.id) == record
    reconcile(mark_lost=True, even_all=True)
    files.put(ORPHAN, b"x", "image/png")
    age()
    with pytest.raises(SetupError):
        reconcile(delete_orphans=True)
    reconcile(delete_orphans=True, even_all=True)
    assert list(files.list("")) == []


def test_what_was_deleted_after_the_backup_is_deleted_again(
    *,
    store: JobStore,
    files: Storage,
    redis: Redis,
    settings: Settings,
    reconcile: Reconcile,
    sweep: Callable[[], int],
    uploads: UploadStore,
) -> None:
    keys = KeyStore(redis, settings)
    _, key = keys.create("leaked", UNLIMITED)
    kept, deleted, waiting = made(store, files), made(store, files), submit(store)
    upload = add_upload(uploads, by("alice"))

    def change() -> None:
        uploads.delete(upload.id, "alice")
        store.delete(deleted.id)
        store.delete(waiting.id)
        keys.revoke(key.id)
        sweep()

    restore(redis, change)
    assert store.get(deleted.id)
    assert reconcile().returned.count == 4
    reconcile(erase_again=True)
    with pytest.raises(UnknownReference):
        uploads.get(upload.id, "alice")
    for record in (deleted, waiting):
        with pytest.raises(Gone):
            store.get(record.id)
    assert keys.get(key.id) is None
    assert store.get(kept.id) == kept
    assert reconcile().returned.count == 0


def test_a_secret_that_was_replaced_after_the_backup_is_invalid_until_the_next_rotation(
    redis: Redis, settings: Settings, reconcile: Reconcile, sweep: Callable[[], int]
) -> None:
    keys = KeyStore(redis, settings)
    leaked, key = keys.create("site", UNLIMITED)

    def change() -> None:
        keys.rotate(key.id, 0)
        sweep()

    restore(redis, change)
    assert keys.check(leaked)
    assert reconcile(erase_again=True).returned.examples == [f"secret {key.id}"]
    with pytest.raises(Unauthorized):
        keys.check(leaked)
    text, _ = keys.rotate(key.id, 3600)
    assert keys.check(text)
    assert reconcile().returned.count == 0


def test_a_job_that_was_accepted_after_the_backup_leaves_files_only(
    store: JobStore, files: Storage, redis: Redis, reconcile: Reconcile, age: Callable[[], None]
) -> None:
    kept, after = made(store, files), []
    restore(redis, lambda: after.append(made(store, files)))
    with pytest.raises(NotFound):
        store.get(after[0].id)
    age()
    assert reconcile(delete_orphans=True).orphans.count == 2
    assert set(files.list("")) == {f"{kept.folder}clip.png", f"{kept.folder}clip.mp3"}


def test_a_job_that_ends_during_the_comparison_is_not_touched(
    store: JobStore, files: Storage, reconcile: Reconcile, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Its folder is in Redis, or its files are young; and a result that changed since is left alone."""
    first = made(store, files)
    later: list[JobRecord] = []
    scan = type(files).scan

    def finish_meanwhile(self: Storage, prefix: str) -> object:
        if not later and not prefix:
            later.append(made(store, files))
            Path(settings.data_dir / "files" / f"{first.folder}clip.png").unlink()
            store.delete(first.id)
        return scan(self, prefix)

    monkeypatch.setattr(type(files), "scan", finish_meanwhile)
    report = reconcile(delete_orphans=True, mark_lost=True)
    assert report.orphans.count == report.lost_jobs.count == 0
    assert len(list(files.list(later[0].folder))) == 2


def test_files_that_the_sweep_is_about_to_delete_are_no_orphans(
    *, store: JobStore, redis: Redis, uploads: UploadStore, reconcile: Reconcile, sweep: Callable[[], int],
    age: Callable[[], None], files: Storage, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made(store, files)
    add_upload(uploads, by("alice"))
    redis.zadd("sweep_at", {member: 1 for member in to_sweep(redis) if member.startswith("upload:")})
    with monkeypatch.context() as patch:
        patch.setattr(files, "delete", lambda _: (_ for _ in ()).throw(StorageUnavailable("no")))
        with pytest.raises(StorageUnavailable):
            sweep()
    age()
    assert not list(redis.scan_iter("upload:*"))
    report = reconcile()
    assert (report.known.count, report.orphans.count) == (3, 0)


def test_a_result_that_is_not_the_one_looked_at_stays(
    store: JobStore, files: Storage, redis: Redis, settings: Settings
) -> None:
    record = made(store, files)
    assert not Database(redis, settings).run("lose_job", record.id, "another")
    assert store.get(record.id) == record


def test_it_takes_nothing_from_a_service_that_works_meanwhile(
    *, store: JobStore, files: Storage, redis: Redis, settings: Settings, uploads: UploadStore, sweep: Callable[[], int]
) -> None:
    """Even without an age that orphans must have."""
    over, kept = threading.Event(), []
    first = made(store, files)  # so that there always is a file of a record

    def serve(number: int) -> None:
        while not over.is_set():
            add_upload(uploads, by(f"up{number}"), secrets.token_bytes(8))
            submit(store, f"client{number}")
            attempt = claim(store, f"w{number}")
            store_files(files, attempt)
            assert store.finish(attempt.id, attempt.token, success(attempt))
            store.delete(attempt.id) if secrets.randbelow(2) else kept.append(attempt.id)
            sweep()

    with ThreadPoolExecutor(3) as pool:
        served = [pool.submit(serve, number) for number in range(3)]
        for _ in range(30):
            Reconciliation(redis, files, settings, min_age_s=0).run(erase_again=True, delete_orphans=True)
            Reconciliation(redis, files, settings, min_age_s=60).run(mark_lost=True)
        over.set()
    for each in served:
        each.result()
    for job_id in {first.id, *kept} & {key.decode().removeprefix("job:") for key in redis.scan_iter("job:*")}:
        assert len(list(files.list(store.get(job_id).folder))) == 2
    assert not list(redis.scan_iter("lost:*"))
    assert all(files.get(redis.hget(key, "key").decode()) for key in redis.scan_iter("upload:*"))  # type: ignore[union-attr]
    assert Reconciliation(redis, files, settings, min_age_s=0).run().lost_uploads.count == 0


@pytest.mark.parametrize(
    ("name", "content", "foreign"),
    [
        ("notes.txt", b"the operator's own", True),  # which no format fits
        ("Finder settings", b"", True),  # a name that Storage reads nothing by
        (f"1-{'0' * 16}.txt.draft-00ff", b"job 00", False),  # torn by a power cut
    ],
)
def test_other_files_among_the_deletions_are_not_read(
    *, store: JobStore, files: Storage, reconcile: Reconcile, redis: Redis, settings: Settings,
    sweep: Callable[[], int], name: str, content: bytes, foreign: bool,
) -> None:  # fmt: skip
    made(store, files)
    erased = made(store, files)

    def change() -> None:
        store.delete(erased.id)
        sweep()

    restore(redis, change)
    path = settings.data_dir / "files" / "erasures" / name
    path.write_bytes(content)
    os.utime(path, (1, 1))
    report = reconcile(erase_again=True, delete_orphans=True)
    assert report.returned.examples == [f"job {erased.id}"]
    assert (report.foreign.count, report.orphans.count) == (foreign, not foreign)
    assert path.exists() == foreign


def test_a_list_of_deletions_may_go_while_it_is_read(
    *, store: JobStore, files: Storage, sweep: Callable[[], int], redis: Redis, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    store.delete(submit(store).id)
    sweep()
    (file,) = files.list("erasures/")
    found = iter([file, f"erasures/1-{'0' * 16}.txt"])
    monkeypatch.setattr(files, "list", lambda _: found)
    assert [erasure.kind for erasure in ErasureLog(redis, files, settings).read()] == ["job"]


def test_no_secret_before_a_replaced_one_comes_back_either(
    redis: Redis, settings: Settings, reconcile: Reconcile, sweep: Callable[[], int]
) -> None:
    keys = KeyStore(redis, settings)
    leaked, key = keys.create("site", UNLIMITED)
    keys.rotate(key.id, 3600)

    def change() -> None:
        keys.rotate(key.id, 0)
        sweep()

    restore(redis, change)
    assert keys.check(leaked)
    reconcile(erase_again=True)
    with pytest.raises(Unauthorized):
        keys.check(leaked)
