"""What a client has, and blocks."""

import pytest
from redis import Redis

from riffusion.errors import Blocked, NotFound
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.clients import ClientDirectory
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Quota, Tenant
from riffusion.jobs.uploads import UploadStore
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import accept, add_upload, by, prompt, run, submit

V6 = Tenant("address:2001:db8:1:2::/64", ("address:2001:db8:1::/56", "address:2001:db8::/48"))


@pytest.fixture
def clients(redis: Redis, settings: Settings) -> ClientDirectory:
    return ClientDirectory(redis, settings)


@pytest.fixture
def uploads(redis: Redis, files: Storage, settings: Settings) -> UploadStore:
    return UploadStore(redis, files, settings)


def test_a_client_is_shown_with_all_it_has(
    store: JobStore, uploads: UploadStore, redis: Redis, settings: Settings, clients: ClientDirectory
) -> None:
    _, key = KeyStore(redis, settings).create("site", Quota(jobs_kept=7))
    name = f"key:{key.id}/ann"
    submit(store, name)
    done = run(store)
    submit(store, name)
    submit(store, f"key:{key.id}/bob")
    submit(store, "address:192.0.2.1")
    add_upload(uploads, by(name))
    ShareStore(redis, store, settings).publish(done.id)
    view = clients.show(name)
    assert view.jobs == {"succeeded": 1, "queued": 1}
    assert (view.uploads, view.published, view.stored_bytes) == (1, 1, 3000 + 7)
    assert view.request_bytes > 0
    assert view.limits == key.quota
    assert view.block is None
    assert clients.show(f"key:{key.id}").jobs == {"succeeded": 1, "queued": 2}
    assert clients.show("address:192.0.2.1").jobs == {"queued": 1}
    assert clients.show("address:192.0.2.1").limits is not None


def test_a_blocked_client_creates_nothing_and_keeps_what_it_has(
    store: JobStore, uploads: UploadStore, redis: Redis, settings: Settings, clients: ClientDirectory
) -> None:
    submit(store, "mallory")
    before = run(store)
    known = accept(store, [Submission(prompt(), by("mallory"))], key="k")
    clients.block("mallory", "Spam.", "cli:op@host")
    shares = ShareStore(redis, store, settings)
    for create in (
        lambda: submit(store, "mallory"),
        lambda: uploads.begin(by("mallory"), 1),
        lambda: shares.publish(before.id, "mallory"),
    ):
        with pytest.raises(Blocked, match=r"blocked this client: Spam\."):
            create()
    assert accept(store, [Submission(prompt(), by("mallory"))], key="k").records == known.records
    store.delete(before.id, "mallory")
    assert submit(store, "alice")
    clients.unblock("mallory")
    assert submit(store, "mallory")
    with pytest.raises(NotFound):
        clients.unblock("mallory")


@pytest.mark.parametrize("blocked", [V6.name, *V6.networks])
def test_a_block_of_a_network_covers_its_addresses(store: JobStore, clients: ClientDirectory, blocked: str) -> None:
    clients.block(blocked, "Flood.", "cli:op@host")
    with pytest.raises(Blocked):
        store.accept([Submission(prompt(), V6)])
    assert store.accept([Submission(prompt(), Tenant("address:2001:db8:9:2::/64"))])


def test_a_block_of_a_key_covers_its_end_users_and_not_the_reverse(
    store: JobStore, redis: Redis, settings: Settings, clients: ClientDirectory
) -> None:
    one, two = (f"key:{KeyStore(redis, settings).create('site', Quota())[1].id}" for _ in range(2))
    clients.block(one, "Unpaid.", "cli:op@host")
    clients.block(f"{two}/ann", "Abuse.", "cli:op@host")
    for name in (one, f"{one}/ann", f"{two}/ann"):
        with pytest.raises(Blocked):
            submit(store, name)
    for name in (two, f"{two}/bob", f"{one}1"):
        assert submit(store, name)


def test_a_key_that_there_is_not_is_not_blocked(clients: ClientDirectory) -> None:
    for name in ("key:00ff", "key:00ff/ann", "key:"):
        with pytest.raises(NotFound):
            clients.block(name, "Mistyped.", "cli:op@host")
    assert clients.blocks() == []


def test_a_block_ends_by_itself_and_is_listed_until_then(
    store: JobStore, redis: Redis, clients: ClientDirectory
) -> None:
    clients.block("mallory", "Spam.", "cli:op@host", seconds=3600)
    clients.block("eve", "Spam.", "cli:op@host")
    shown = {block.client: block for block in clients.blocks()}
    assert shown["eve"].expires_s is None
    assert shown["mallory"].expires_s == pytest.approx(3600, abs=5)
    redis.pexpire("blocked:mallory", 1)
    while redis.exists("blocked:mallory"):
        pass
    assert submit(store, "mallory")
    clients.block("mallory", "Again.", "cli:op@host", seconds=3600)
    clients.block("mallory", "For good.", "cli:op@host")
    assert redis.ttl("blocked:mallory") == -1
