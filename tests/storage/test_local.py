"""Files in a local folder, and the links that the API serves for it."""

import io
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from riffusion.errors import Gone, NotFound, StorageFull, StorageUnavailable
from riffusion.settings import Settings
from riffusion.storage import open_storage
from riffusion.storage.local import LocalStorage
from tests.storage.conftest import KEY, Clock, StorageContract


@pytest.fixture
def local(tmp_path: Path) -> LocalStorage:
    return LocalStorage(Settings(data_dir=tmp_path, public_url="https://music.example/api/"))


class TestLocalContract(StorageContract):
    @pytest.fixture
    def storage(self, local: LocalStorage) -> LocalStorage:
        return local


def test_it_is_the_default(tmp_path: Path) -> None:
    assert isinstance(open_storage(Settings(data_dir=tmp_path)), LocalStorage)


def test_its_links_lead_to_the_api(local: LocalStorage) -> None:
    assert local.origins == ()


def fetch(local: LocalStorage, url: str) -> bytes:
    address = urlsplit(url)
    assert url.startswith("https://music.example/api/files/")
    key = address.path.removeprefix("/api/files/")
    content = local.open_link(key, dict(parse_qsl(address.query))).content
    assert isinstance(content, Path)
    return content.read_bytes()


def query_of(url: str, **changes: str) -> Mapping[str, str]:
    return dict(parse_qsl(urlsplit(url).query)) | changes


def test_a_link_opens_its_file(local: LocalStorage) -> None:
    local.put(KEY, b"one", "audio/mpeg")
    assert fetch(local, local.url(KEY).url) == b"one"
    named = local.open_link(KEY, query_of(local.url(KEY, filename='a "b" é.mp3').url))
    assert (named.content_type, named.filename) == ("audio/mpeg", 'a "b" é.mp3')


def test_a_link_opens_nothing_else(local: LocalStorage) -> None:
    local.put(KEY, b"one", "audio/mpeg")
    local.put("uploads/other.png", b"two", "image/png")
    url = local.url(KEY).url
    expires = int(query_of(url)["expires"])
    for key, query in [
        ("uploads/other.png", query_of(url)),
        (KEY, query_of(url, expires=str(expires + 1))),
        (KEY, query_of(url, signature="0" * 64)),
        (KEY, query_of(url, signature="é")),
        (KEY, query_of(url, filename="evil.html")),
        (KEY, {}),
        ("../secret_key", query_of(url)),
    ]:
        with pytest.raises(NotFound):
            local.open_link(key, query)


def test_a_link_expires(local: LocalStorage, clock: Clock) -> None:
    local.put(KEY, b"one", "audio/mpeg")
    link = local.url(KEY)
    clock(link.expires_at - 1)
    local.open_link(KEY, query_of(link.url))
    clock(link.expires_at)
    with pytest.raises(Gone):
        local.open_link(KEY, query_of(link.url))


def test_a_link_to_a_deleted_file_finds_nothing(local: LocalStorage) -> None:
    with pytest.raises(NotFound):
        local.open_link(KEY, query_of(local.url(KEY).url))


def test_processes_share_a_secret_that_no_other_user_can_read(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    link = LocalStorage(settings).url(KEY)
    assert LocalStorage(settings).url(KEY) == link
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert LocalStorage(Settings(data_dir=tmp_path, secret_key="given")).url(KEY) != link
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_half_a_file_is_never_seen(local: LocalStorage) -> None:
    class Breaks(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise OSError(28, "No space left on device")

    local.put(KEY, b"one", "audio/mpeg")
    with pytest.raises(StorageFull) as caught:
        local.put(KEY, Breaks(), "audio/mpeg")
    assert local.get(KEY) == b"one"
    assert list(local.list("")) == [KEY]
    assert "/" not in str(caught.value)


def test_what_a_crash_leaves_behind_goes_with_the_file(local: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(SystemExit))
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            local.put("uploads/a-1.png", b"x", "image/png")
    (left,) = local.list("uploads/a-1.png")
    assert left != "uploads/a-1.png"
    local.delete([left])
    assert list(local.list("")) == []


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    local = LocalStorage(Settings(data_dir=tmp_path))
    for call in (local.check, lambda: local.put(KEY, b"x", "audio/mpeg")):
        with pytest.raises(StorageUnavailable) as caught:
            call()
        assert str(tmp_path) not in str(caught.value)


def test_unknown_kinds_of_files_are_never_run_by_browsers(local: LocalStorage) -> None:
    local.put("uploads/page.html", b"<script>", "text/html")
    link = local.url("uploads/page.html")
    assert local.open_link("uploads/page.html", query_of(link.url)).content_type == "application/octet-stream"
