"""A bounded pool, which follows Redis to its new primary and gives back what it doesn't need."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from riffusion.errors import SetupError, StoreUnavailable
from riffusion.jobs import connections
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.database import refuse_cluster
from riffusion.jobs.events import EventHub
from riffusion.jobs.store import JobStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings
from tests.conftest import ValkeyServer, wait_until
from tests.faults.proxy import Proxy
from tests.faults.replicas import Replicas, replicas
from tests.jobs.conftest import MODEL, accept, at_once, by, prompt, submit


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with replicas(tmp_path_factory.mktemp("pair")) as nodes:
        yield nodes


@pytest.fixture
def address(pair: Replicas) -> Iterator[Proxy]:
    """Where Redis is said to be; it leads to the primary."""
    proxy = Proxy(pair.primary.port)
    yield proxy
    proxy.close()


@pytest.fixture
def following(pair: Replicas, address: Proxy, tmp_path: Path) -> JobStore:
    """A store with several open connections to what is no primary any more."""
    store = JobStore.connect(Settings(redis_url=f"redis://127.0.0.1:{address.port}/0", data_dir=tmp_path))
    at_once(lambda _: submit(store), threads=8)
    pair.fail_over()
    address.lead_to(pair.primary.port)
    return store


def test_a_call_after_a_failover_reaches_the_new_primary(following: JobStore) -> None:
    assert [submit(following).status for _ in range(20)] == ["queued"] * 20


def test_what_must_not_be_sent_twice_reaches_it_too(following: JobStore) -> None:
    assert following._database.run("take_expired_files", 1, resend=False) == []  # a demoted server has done nothing


def test_readers_follow_a_writer(pair: Replicas, following: JobStore) -> None:
    record = submit(following)
    at_once(lambda _: following.get(record.id), threads=8)
    with Redis(port=pair.replica.port) as old:
        assert len(old.client_list(_type="normal")) == 1  # this one


def test_the_subscriber_follows(pair: Replicas, address: Proxy, tmp_path: Path) -> None:
    store = JobStore.connect(Settings(redis_url=f"redis://127.0.0.1:{address.port}/0", data_dir=tmp_path))
    hub = EventHub(store.redis)
    record = submit(store)
    hub.wait(record.id, record.revision, 0.5)  # the subscriber has taken the connection
    store.check()  # another one
    pair.fail_over()
    address.lead_to(pair.primary.port)
    store.check()
    with Redis(port=pair.primary.port) as primary, Redis(port=pair.replica.port) as old:
        wait_until(lambda: primary.client_list(_type="pubsub") and not old.client_list(_type="pubsub"))
    hub.close()


def test_wake_ups_follow(pair: Replicas, address: Proxy, tmp_path: Path) -> None:
    wakeups = WakeUps(Settings(redis_url=f"redis://127.0.0.1:{address.port}/0", data_dir=tmp_path))
    assert wakeups.publish(MODEL)
    pair.fail_over()
    address.lead_to(pair.primary.port)
    assert [wakeups.publish(MODEL) for _ in range(5)][1:] == [True] * 4


def test_a_job_that_no_replica_has_is_not_accepted(pair: Replicas, tmp_path: Path) -> None:
    store = JobStore.connect(Settings(redis_url=pair.primary.url, redis_replicas=1, data_dir=tmp_path))
    pair.wait_synced()
    pair.replica.pause()
    try:
        for _ in range(2):  # also when the key is known already, by another connection
            with pytest.raises(StoreUnavailable, match="Idempotency-Key"):
                accept(store, [Submission(prompt(), by("alice"))], "key")
            store.redis.connection_pool.disconnect()
    finally:
        pair.replica.resume()
    assert accept(store, [Submission(prompt(), by("alice"))], "key").replayed


def test_more_replicas_than_there_are(pair: Replicas, tmp_path: Path) -> None:
    store = JobStore.connect(Settings(redis_url=pair.primary.url, redis_replicas=2, data_dir=tmp_path))
    with pytest.raises(StoreUnavailable):
        submit(store)


def few(settings: Settings, count: int) -> JobStore:
    return JobStore.connect(settings.model_copy(update={"redis_url": f"{settings.redis_url}?max_connections={count}"}))


def clients(redis: Redis) -> int:
    found: Any = redis.info("clients")  # its type includes the asynchronous one's
    return int(found["connected_clients"])


def test_many_callers_share_few_connections(settings: Settings, redis: Redis) -> None:
    before = clients(redis)
    store = few(settings, 3)
    record = submit(store)
    assert at_once(lambda _: store.get(record.id).id, threads=50) == [record.id] * 50
    assert clients(redis) <= before + 3


def test_a_call_that_finds_none_free_fails_soon(settings: Settings) -> None:
    store = few(settings, 1)
    with store.redis.client():  # type: ignore[no-untyped-call]  # holds it
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.check()
        assert time.monotonic() - began < 2 * connections.ACQUIRE_S + 5
    store.check()


def test_the_thread_that_waited_longest_is_served_first() -> None:
    semaphore = connections._FairSemaphore(1)
    assert semaphore.acquire(0)
    served: list[int] = []

    def wait(number: int) -> None:
        if semaphore.acquire(30):
            served.append(number)
            semaphore.release()

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(4)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        wait_until(lambda: len(semaphore._waiting) == count)  # noqa: B023
    semaphore.release()
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3]
    assert [semaphore.acquire(0), semaphore.acquire(0)] == [True, False]  # one slot, as before


def test_connections_that_fail_release_their_places(settings: Settings, valkey: ValkeyServer) -> None:
    store = few(settings, 1)
    store.check()
    valkey.pause()
    with pytest.raises(StoreUnavailable):
        store.check()
    valkey.resume()
    store.check()


def test_idle_connections_are_closed(settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_S", 0.2)
    before = clients(redis)
    store = few(settings, 20)
    held = [store.redis.client() for _ in range(10)]  # type: ignore[no-untyped-call]
    for client in held:
        client.close()
    store.check()
    assert clients(redis) == before + 10
    time.sleep(0.3)
    store.check()  # whose connection comes back
    assert clients(redis) <= before + 2


def test_a_cluster_is_refused(tmp_path: Path, redis: Redis) -> None:
    refuse_cluster(redis)
    server = ValkeyServer.start(tmp_path, "--cluster-enabled", "yes")
    with Redis.from_url(server.url) as cluster, pytest.raises(SetupError, match="cluster mode"):
        refuse_cluster(cluster)
    server.kill()
    with Redis.from_url(server.url) as away:
        refuse_cluster(away)
