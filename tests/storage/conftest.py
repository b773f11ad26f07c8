"""What the tests of storages share: the body of tests that each of them passes."""

import io
from collections.abc import Callable
from functools import partial

import pytest

from riffusion.errors import NotFound
from riffusion.storage import Storage, is_key

KEY = "results/0123/1/clip.mp3"
Clock = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time at which links are signed and checked."""

    def set_time(now: float) -> None:
        monkeypatch.setattr("time.time", lambda: now)

    return set_time


class StorageContract:
    """What every storage does. A backend's tests subclass this and give the `storage` fixture: one that is empty."""

    def test_what_was_put_is_got(self, storage: Storage) -> None:
        storage.put(KEY, b"one", "audio/mpeg")
        assert storage.get(KEY) == b"one"
        storage.put(KEY, b"two", "audio/mpeg")
        assert storage.get(KEY) == b"two"

    def test_streams_are_stored_from_their_start(self, storage: Storage) -> None:
        stream = io.BytesIO(b"x" * 3_000_000)
        stream.read(5)
        storage.put(KEY, stream, "audio/mpeg")
        assert len(storage.get(KEY)) == 3_000_000

    def test_an_empty_file_is_a_file(self, storage: Storage) -> None:
        storage.put(KEY, b"", "audio/mpeg")
        assert storage.get(KEY) == b""

    def test_what_is_not_there_is_not_found(self, storage: Storage) -> None:
        storage.put(KEY, b"one", "audio/mpeg")
        for key in ("results/0123/2/clip.mp3", "results/0123", "results", f"{KEY}/x"):
            with pytest.raises(NotFound):
                storage.get(key)

    def test_files_are_listed_by_prefix(self, storage: Storage) -> None:
        keys = {"results/a/1/clip.png", "results/a/1/clip.mp3", "results/a/2/clip.png", "results/ab/1/clip.png"}
        for key in keys | {"uploads/abc-1.png", "uploads/abc-2.png"}:
            storage.put(key, b"x", "image/png")
        assert set(storage.list("results/a/")) == keys - {"results/ab/1/clip.png"}
        assert set(storage.list("results/")) == keys
        assert set(storage.list("uploads/abc-1.png")) == {"uploads/abc-1.png"}
        assert set(storage.list("results/none/")) == set()

    def test_a_scan_has_sizes(self, storage: Storage) -> None:
        storage.put(KEY, b"three", "audio/mpeg")
        (found,) = storage.scan("results/")
        assert (found.key, found.size) == (KEY, 5)
        assert list(storage.scan(f"{KEY}/")) == []

    def test_deleted_files_are_gone(self, storage: Storage) -> None:
        keys = [f"results/a/1/clip{n}.png" for n in range(5)]
        for key in keys:
            storage.put(key, b"x", "image/png")
        storage.delete(keys[:3])
        storage.delete([*keys[:3], "results/none/1/clip.png"])  # as often as you like
        storage.delete([])
        assert set(storage.list("results/a/")) == set(keys[3:])
        storage.delete(storage.list("results/a/"))
        assert set(storage.list("results/")) == set()

    def test_keys_do_not_lead_elsewhere(self, storage: Storage) -> None:
        for key in ("../secret", "a/../../b", "/etc/passwd", "a//b", ".hidden", "a/.", "a/", "", "a\\b", "a/\x00"):
            assert not is_key(key)
            for call in (
                partial(storage.get, key),
                partial(storage.put, key, b"", "x"),
                partial(storage.delete, [key]),
            ):
                with pytest.raises(NotFound):
                    call()

    def test_links_are_equal_between_polls_and_last_half_their_time(self, storage: Storage, clock: Clock) -> None:
        clock(1_000_000_800)  # windows of 1800 s begin at multiples of 1800
        first = storage.url(KEY)
        clock(1_000_000_800 + 1799)
        assert storage.url(KEY) == first
        assert first.expires_at - 1_000_002_599 >= 1800
        clock(1_000_000_800 + 1800)
        assert storage.url(KEY) != first

    def test_a_storage_that_works_says_so(self, storage: Storage) -> None:
        storage.check()
