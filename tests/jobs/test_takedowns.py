"""A take-down outlasts the job, its copies and a restored backup of Redis, until an operator ends it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from redis import Redis

from riffusion.errors import TakenDown
from riffusion.jobs.moderation import Moderation
from riffusion.jobs.purge import Purge
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from riffusion.storage import Storage
from tests.jobs.conftest import run, submit


@pytest.fixture
def moderation(redis: Redis, settings: Settings) -> Moderation:
    return Moderation(redis, settings)


def test_a_clip_made_again_after_its_deletion_stays_down(
    store: JobStore, shares: ShareStore, moderation: Moderation, published: str
) -> None:
    target = moderation.find(published)
    moderation.take_down(target, "No.", "ops")
    store.delete(target.job_id)
    submit(store, client="bob", seed=7)
    with pytest.raises(TakenDown):
        shares.publish(run(store).id)
    submit(store, seed=8)
    assert shares.publish(run(store).id)


def test_an_older_backup_does_not_bring_it_back(
    backup: Callable[[], AbstractContextManager[None]], shares: ShareStore, moderation: Moderation, published: str,
    erase_again: Callable[[], list[str]],
) -> None:  # fmt: skip
    target = moderation.find(published)
    with backup():
        moderation.take_down(target, "No.", "ops")
    assert shares.get(published)
    assert erase_again() == [f"takedown {target.digest}"]
    with pytest.raises(TakenDown, match="before this server was restored"):
        shares.get(published)
    assert erase_again() == []
    moderation.takedowns.restore(moderation.find_taken_down(published))
    assert shares.get(published)


def test_one_that_was_taken_back_is_not_repeated(
    redis: Redis, shares: ShareStore, moderation: Moderation, published: str, erase_again: Callable[[], list[str]]
) -> None:
    digest = moderation.find(published).digest
    redis.zadd("erasures", {f"takedown {digest} 1000": 1})
    redis.zadd("erasures", {f"reinstatement {digest} 1001": 1})
    assert erase_again() == []
    assert shares.get(published)


def test_an_older_backup_does_not_take_down_again_what_was_taken_back(
    redis: Redis, shares: ShareStore, moderation: Moderation, published: str, erase_again: Callable[[], list[str]],
    *, backup: Callable[[], AbstractContextManager[None]],
) -> None:  # fmt: skip
    target = moderation.find(published)
    moderation.take_down(target, "No.", "ops")
    redis.hset(f"takedown:{target.digest}", "at", "1000")
    redis.delete("erasures")
    redis.zadd("erasures", {f"takedown {target.digest} 1000": 1})
    with backup():
        moderation.takedowns.restore(target.digest)
    with pytest.raises(TakenDown):
        shares.get(published)
    assert erase_again() == [f"reinstatement {target.digest}"]
    assert shares.get(published)
    assert erase_again() == []


def test_a_purge_of_its_maker_leaves_only_the_digest(
    redis: Redis, files: Storage, settings: Settings, moderation: Moderation, published: str
) -> None:
    moderation.take_down(moderation.find(published), "No.", "ops")
    Purge(redis, files, settings).run("alice")
    (takedown,) = moderation.takedowns.all()
    assert takedown.share_id == published
    assert "funk" not in str(redis.hgetall(f"takedown:{takedown.digest}"))
    for index in ("published", "gallery", "reported", "listed:alice"):
        assert redis.exists(index) == 0
