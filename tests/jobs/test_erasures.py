"""What was deleted on request is remembered where a restored Redis finds it."""

from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import StorageUnavailable
from riffusion.jobs.erasures import ErasureLog, digest
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import expire, keys, run, submit


@pytest.fixture
def log(redis: Redis, files: Storage, settings: Settings) -> ErasureLog:
    return ErasureLog(redis, files, settings)


def test_a_deleted_job_is_remembered_in_the_storage_and_an_expired_one_is_not(
    store: JobStore, redis: Redis, files: Storage, sweep: Callable[[], int], log: ErasureLog
) -> None:
    deleted, expired = submit(store), submit(store)
    store.delete(deleted.id)
    run(store)
    expire(redis, expired)
    sweep()
    (erasure,) = log.read()
    assert (erasure.kind, erasure.digest) == ("job", digest(deleted.id))
    assert not keys(redis, "erasures")
    (file,) = files.list("erasures/")
    assert deleted.id not in file + files.get(file).decode()


def test_what_could_not_be_written_is_written_later(
    store: JobStore, redis: Redis, files: Storage, log: ErasureLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StorageUnavailable("no")

    store.delete(submit(store).id)
    with monkeypatch.context() as patch:
        patch.setattr(files, "put", refuse)
        with pytest.raises(StorageUnavailable):
            log.store()
    assert log.store() == 0  # another process has its turn, and holds them for a while
    redis.delete("erasing")
    assert log.store() == 0
    redis.delete("erasing")
    (member,) = redis.zrange("erasures", 0, -1)  # type: ignore[misc]
    redis.zadd("erasures", {member: 0})
    assert log.store() == 1


def test_the_sweep_deletes_what_is_remembered_after_a_week(
    store: JobStore, redis: Redis, files: Storage, sweep: Callable[[], int], log: ErasureLog
) -> None:
    store.delete(submit(store).id)
    sweep()
    (file,) = files.list("erasures/")
    due = redis.zscore("sweep_at", f"file:{file}")
    assert due is not None
    now = redis.time()[0]  # type: ignore[index]
    assert due - now == pytest.approx(7 * 86_400, abs=60)
    redis.zadd("sweep_at", {f"file:{file}": 1})
    sweep()
    assert list(log.read()) == []
