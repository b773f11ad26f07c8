"""What its publisher takes out of the gallery stays out, also after an older backup of Redis was put back."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from redis import Redis

from riffusion.errors import TooManyRequests
from riffusion.jobs.gallery import GalleryStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings

Backup = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def gallery(redis: Redis, store: JobStore, settings: Settings) -> GalleryStore:
    return GalleryStore(redis, store, settings)


@pytest.fixture
def job_id(gallery: GalleryStore, shares: ShareStore, published: str) -> str:
    """The job of a listed clip."""
    found = shares.get(published).id
    gallery.add(found)
    return found


def test_an_older_backup_does_not_list_it_again(
    gallery: GalleryStore, job_id: str, published: str, backup: Backup, erase_again: Callable[[], list[str]]
) -> None:
    with backup():
        gallery.remove(job_id)
    assert gallery.is_listed(published)
    assert erase_again() == [f"listing {job_id}"]
    assert not gallery.is_listed(published)
    assert erase_again() == []
    assert gallery.add(job_id) == published  # it is still published


def test_one_that_an_older_version_listed_does_not_come_back_either(
    redis: Redis, gallery: GalleryStore, job_id: str, backup: Backup, *, erase_again: Callable[[], list[str]]
) -> None:
    redis.hdel(f"job:{job_id}", "listed_at")
    with backup():
        gallery.remove(job_id)
    assert erase_again() == [f"listing {job_id}"]


def test_one_that_was_listed_again_stays_listed(
    redis: Redis, gallery: GalleryStore, job_id: str, published: str, erase_again: Callable[[], list[str]]
) -> None:
    gallery.remove(job_id)
    (erasure,) = redis.zrange("erasures", 0, -1)  # type: ignore[misc]
    kind, digest, at = erasure.decode().split()
    redis.delete("erasures")
    redis.zadd("erasures", {f"{kind} {digest} {int(at) - 1}": 1})
    gallery.add(job_id)
    assert erase_again() == []
    assert gallery.is_listed(published)


def test_one_that_was_asked_for_again_after_the_restore_stays_listed(
    redis: Redis, gallery: GalleryStore, job_id: str, backup: Backup, *, erase_again: Callable[[], list[str]]
) -> None:
    redis.hset(f"job:{job_id}", "listed_at", "1")  # long ago
    with backup():
        gallery.remove(job_id)
        (erasure,) = redis.zrange("erasures", 0, -1)  # type: ignore[misc]
        kind, digest, at = erasure.decode().split()
        redis.delete("erasures")
        redis.zadd("erasures", {f"{kind} {digest} {int(at) - 1}": 1})
    share_id = gallery.add(job_id)  # though the backup has it in the gallery
    assert erase_again() == []
    assert gallery.is_listed(share_id)


def test_one_client_cannot_fill_the_memory_of_unlistings(
    redis: Redis, gallery: GalleryStore, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riffusion.jobs.gallery.LISTINGS_PER_HOUR", 3)
    for _ in range(2):
        gallery.remove(job_id)
        gallery.add(job_id)
        gallery.add(job_id)  # changes nothing, and costs nothing
    gallery.remove(job_id)
    with pytest.raises(TooManyRequests, match="3 an hour"):
        gallery.add(job_id)
    assert gallery.remove(job_id)  # is always possible


def test_taking_out_what_is_not_listed_is_not_remembered(redis: Redis, gallery: GalleryStore, job_id: str) -> None:
    gallery.remove(job_id)
    gallery.remove(job_id)
    assert redis.zcard("erasures") == 1
