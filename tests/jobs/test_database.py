"""What the store does when Redis doesn't do its part."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from riffusion.errors import StoreUnavailable
from riffusion.jobs import database
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import Failure, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.conftest import ValkeyServer, free_port
from tests.jobs.conftest import MODEL, by, claim, prompt, submit


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server of this test's own, to be broken; durable like a real one."""
    server = ValkeyServer.start(tmp_path, "--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.kill()


@pytest.fixture
def own_store(own_valkey: ValkeyServer, tmp_path: Path) -> JobStore:
    return JobStore.connect(Settings(redis_url=own_valkey.url, data_dir=tmp_path))


def calls(store: JobStore) -> list[Callable[[], object]]:
    return [
        lambda: store.accept([Submission(prompt(), by("alice"))]),
        lambda: store.get("x" * 44),
        lambda: store.cancel("x" * 44),
        lambda: store.claim(MODEL, "w1", "n"),
        store.reap,
        store.check,
    ]


def test_a_redis_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    store = JobStore.connect(Settings(redis_url=f"redis://127.0.0.1:{free_port()}/0", data_dir=tmp_path))
    for call in calls(store):
        with pytest.raises(StoreUnavailable):
            call()


def test_a_redis_that_hangs_is_given_up_soon_and_used_again(valkey: ValkeyServer, store: JobStore) -> None:
    store.check()
    valkey.pause()
    try:
        for call in calls(store)[:3]:
            started = time.monotonic()
            with pytest.raises(StoreUnavailable):
                call()
            assert time.monotonic() - started < 5  # the promise made to clients, not a measure of speed
    finally:
        valkey.resume()
    assert submit(store).status is JobStatus.QUEUED


def test_broken_connections_are_opened_again(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    redis.client_kill_filter(skipme=True)
    assert store.progress(record.id, record.token, 1, 20)
    redis.client_kill_filter(skipme=True)
    assert submit(store).status is JobStatus.QUEUED


def test_scripts_that_redis_has_lost_are_loaded_again(store: JobStore, redis: Redis) -> None:
    submit(store)
    redis.script_flush()
    assert submit(store).status is JobStatus.QUEUED
    assert claim(store).status is JobStatus.RUNNING


def test_out_of_memory_refuses_new_jobs_and_lets_old_ones_end(own_store: JobStore, own_valkey: ValkeyServer) -> None:
    store = own_store
    done, canceled, failed = (submit(store) for _ in range(3))
    held = {record.id: record for record in (claim(store) for _ in range(3))}
    with Redis.from_url(own_valkey.url) as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", "1")
        for call in (store.check, lambda: submit(store)):
            with pytest.raises(StoreUnavailable):
                call()
        assert store.heartbeat("w1", {job_id: record.token for job_id, record in held.items()}) == set()
        assert store.progress(done.id, held[done.id].token, 20, 20)
        assert store.finish(done.id, held[done.id].token, Failure("internal", "x"))
        assert store.cancel(canceled.id).status is JobStatus.CANCELED
        assert store.release(failed.id, held[failed.id].token)
        assert store.claim(MODEL, "w1", "n") is not None
        assert store.reap() == {}
        store.models.register("w1", MODEL, 1)
        store.delete(done.id)
        redis.config_set("maxmemory", "0")
    assert submit(store).status is JobStatus.QUEUED


def test_what_was_accepted_survives_a_kill(own_store: JobStore, own_valkey: ValkeyServer) -> None:
    accepted = [submit(own_store) for _ in range(20)]
    running = claim(own_store)
    own_valkey.kill()
    with pytest.raises(StoreUnavailable):
        submit(own_store)
    assert own_valkey.run("--appendonly", "yes", "--appendfsync", "always")
    assert own_store.get(running.id) == running
    assert [own_store.get(record.id) for record in accepted[1:]] == accepted[1:]
    assert own_store.heartbeat("w1", {running.id: running.token}) == set()


def test_a_broken_script_is_not_taken_for_an_outage(store: JobStore, redis: Redis) -> None:
    redis.set("due", "not a sorted set")
    with pytest.raises(ResponseError):
        submit(store)


def test_a_read_only_redis_is_unavailable(own_store: JobStore, own_valkey: ValkeyServer) -> None:
    with Redis.from_url(own_valkey.url) as redis:
        redis.replicaof("127.0.0.1", str(free_port()))
        for call in (own_store.check, lambda: submit(own_store)):
            with pytest.raises(StoreUnavailable):
                call()


def test_every_replicated_script_exists() -> None:
    folder = Path(database.__file__).parent / "lua"
    assert {path.stem for path in folder.glob("*.lua")} >= database._REPLICATED
