"""Files: one body of tests over a local folder, moto and a real S3 server."""

import io
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from moto import mock_aws

from riffusion import storage as files_module
from riffusion.errors import Gone, NotFound, StorageFull, StorageUnavailable
from riffusion.settings import Settings
from riffusion.storage import Files, is_key, open_files
from riffusion.storage.local import LocalFiles
from riffusion.storage.s3 import S3Files
from tests.conftest import S3Server

KEY = "results/0123/1/clip.mp3"
REFUSED = {400, 403}  # servers differ
Clock = Callable[[float], None]


@pytest.fixture
def local(tmp_path: Path) -> LocalFiles:
    return LocalFiles(Settings(data_dir=tmp_path, public_url="https://music.example/api/"))


@pytest.fixture(scope="module")
def moto_client() -> Iterator[S3Files]:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    settings = Settings(storage="s3", s3_bucket="bucket", s3_prefix="site/", s3_access_key="a", s3_secret_key="s")
    with mock_aws():
        boto3.client("s3", **keys).create_bucket(Bucket="bucket")  # type: ignore[call-overload]
        yield S3Files(settings)


@pytest.fixture
def moto(moto_client: S3Files) -> Iterator[S3Files]:
    """A client takes a while to make, so tests share one, and leave it empty."""
    yield moto_client
    moto_client.delete(list(moto_client.list("")))


@pytest.fixture(scope="module")
def rclone_client(rclone_server: S3Server) -> S3Files:
    return S3Files(s3_options(rclone_server.with_bucket()))


@pytest.fixture
def rclone(rclone_client: S3Files) -> Iterator[S3Files]:
    yield rclone_client
    rclone_client.delete(list(rclone_client.list("")))


def s3_options(server: S3Server, **more: object) -> Settings:
    options = {
        "storage": "s3",
        "s3_endpoint": server.endpoint,
        "s3_bucket": server.bucket,
        "s3_access_key": server.access_key,
        "s3_secret_key": server.secret_key,
    }
    return Settings.model_validate(options | more)


@pytest.fixture(params=["local", "moto", "rclone"])
def files(request: pytest.FixtureRequest) -> Files:
    found: Files = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time at which links are signed and checked."""

    def set_time(now: float) -> None:
        monkeypatch.setattr("time.time", lambda: now)

    return set_time


class TestEveryStorage:
    def test_what_was_put_is_got(self, files: Files) -> None:
        files.put(KEY, b"one", "audio/mpeg")
        assert files.get(KEY) == b"one"
        files.put(KEY, b"two", "audio/mpeg")
        assert files.get(KEY) == b"two"

    def test_streams_are_stored_from_their_start(self, files: Files) -> None:
        stream = io.BytesIO(b"x" * 3_000_000)
        stream.read(5)
        files.put(KEY, stream, "audio/mpeg")
        assert len(files.get(KEY)) == 3_000_000

    def test_an_empty_file_is_a_file(self, files: Files) -> None:
        files.put(KEY, b"", "audio/mpeg")
        assert files.get(KEY) == b""

    def test_what_is_not_there_is_not_found(self, files: Files) -> None:
        files.put(KEY, b"one", "audio/mpeg")
        for key in ("results/0123/2/clip.mp3", "results/0123", "results", f"{KEY}/x"):
            with pytest.raises(NotFound):
                files.get(key)

    def test_files_are_listed_by_prefix(self, files: Files) -> None:
        keys = {"results/a/1/clip.png", "results/a/1/clip.mp3", "results/a/2/clip.png", "results/ab/1/clip.png"}
        for key in keys | {"uploads/abc-1.png", "uploads/abc-2.png"}:
            files.put(key, b"x", "image/png")
        assert set(files.list("results/a/")) == keys - {"results/ab/1/clip.png"}
        assert set(files.list("results/")) == keys
        assert set(files.list("uploads/abc-1.png")) == {"uploads/abc-1.png"}
        assert set(files.list("results/none/")) == set()

    def test_deleted_files_are_gone(self, files: Files) -> None:
        keys = [f"results/a/1/clip{n}.png" for n in range(5)]
        for key in keys:
            files.put(key, b"x", "image/png")
        files.delete(keys[:3])
        files.delete([*keys[:3], "results/none/1/clip.png"])  # as often as you like
        files.delete([])
        assert set(files.list("results/a/")) == set(keys[3:])
        files.delete(files.list("results/a/"))
        assert set(files.list("results/")) == set()

    def test_keys_do_not_lead_elsewhere(self, files: Files) -> None:
        for key in ("../secret", "a/../../b", "/etc/passwd", "a//b", ".hidden", "a/.", "a/", "", "a\\b", "a/\x00"):
            assert not is_key(key)
            for call in (partial(files.get, key), partial(files.put, key, b"", "x"), partial(files.delete, [key])):
                with pytest.raises(NotFound):
                    call()

    def test_links_are_equal_between_polls_and_last_half_their_time_at_least(self, files: Files, clock: Clock) -> None:
        clock(1_000_000_800)  # windows of 1800 s begin at multiples of 1800
        first = files.url(KEY)
        clock(1_000_000_800 + 1799)
        assert files.url(KEY) == first
        assert first.expires_at - 1_000_002_599 >= 1800
        clock(1_000_000_800 + 1800)
        assert files.url(KEY) != first

    def test_a_storage_that_works_says_so(self, files: Files) -> None:
        files.check()


class TestLocal:
    def fetch(self, local: LocalFiles, url: str) -> bytes:
        address = urlsplit(url)
        assert url.startswith("https://music.example/api/files/")
        key = address.path.removeprefix("/api/files/")
        return local.verify(key, dict(parse_qsl(address.query))).path.read_bytes()

    def query(self, url: str, **changes: str) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(url).query)) | changes

    def test_a_link_opens_its_file(self, local: LocalFiles) -> None:
        local.put(KEY, b"one", "audio/mpeg")
        assert self.fetch(local, local.url(KEY).url) == b"one"
        named = local.verify(KEY, self.query(local.url(KEY, filename='a "b" é.mp3').url))
        assert (named.content_type, named.filename) == ("audio/mpeg", 'a "b" é.mp3')

    def test_a_link_opens_nothing_else(self, local: LocalFiles) -> None:
        local.put(KEY, b"one", "audio/mpeg")
        local.put("uploads/other.png", b"two", "image/png")
        url = local.url(KEY).url
        expires = int(self.query(url)["expires"])
        for key, query in [
            ("uploads/other.png", self.query(url)),
            (KEY, self.query(url, expires=str(expires + 1))),
            (KEY, self.query(url, signature="0" * 64)),
            (KEY, self.query(url, signature="é")),
            (KEY, self.query(url, filename="evil.html")),
            (KEY, {}),
            ("../secret_key", self.query(url)),
        ]:
            with pytest.raises(NotFound):
                local.verify(key, query)

    def test_a_link_expires(self, local: LocalFiles, clock: Clock) -> None:
        local.put(KEY, b"one", "audio/mpeg")
        link = local.url(KEY)
        clock(link.expires_at - 1)
        local.verify(KEY, self.query(link.url))
        clock(link.expires_at)
        with pytest.raises(Gone):
            local.verify(KEY, self.query(link.url))

    def test_a_link_to_a_deleted_file_finds_nothing(self, local: LocalFiles) -> None:
        with pytest.raises(NotFound):
            local.verify(KEY, self.query(local.url(KEY).url))

    def test_processes_share_a_secret_that_nobody_else_can_read(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path)
        link = LocalFiles(settings).url(KEY)
        assert LocalFiles(settings).url(KEY) == link
        assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
        assert LocalFiles(Settings(data_dir=tmp_path, secret_key="given")).url(KEY) != link
        assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]

    def test_half_a_file_is_never_seen(self, local: LocalFiles) -> None:
        class Breaks(io.BytesIO):
            def read(self, _: int | None = -1, /) -> bytes:
                raise OSError(28, "No space left on device")

        local.put(KEY, b"one", "audio/mpeg")
        with pytest.raises(StorageFull) as caught:
            local.put(KEY, Breaks(), "audio/mpeg")
        assert local.get(KEY) == b"one"
        assert list(local.list("")) == [KEY]
        assert "/" not in str(caught.value)

    def test_what_a_crash_leaves_behind_goes_with_the_file(
        self, local: LocalFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(SystemExit))
            patch.setattr(Path, "unlink", lambda *_, **__: None)
            with pytest.raises(SystemExit):
                local.put("uploads/a-1.png", b"x", "image/png")
        (left,) = local.list("uploads/a-1.png")
        assert left != "uploads/a-1.png"
        local.delete([left])
        assert list(local.list("")) == []

    def test_a_folder_that_cannot_be_written_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "files").write_text("in the way")
        local = LocalFiles(Settings(data_dir=tmp_path))
        for call in (local.check, lambda: local.put(KEY, b"x", "audio/mpeg")):
            with pytest.raises(StorageUnavailable) as caught:
                call()
            assert str(tmp_path) not in str(caught.value)

    def test_unknown_kinds_of_files_are_never_run_by_browsers(self, local: LocalFiles) -> None:
        local.put("uploads/page.html", b"<script>", "text/html")
        link = local.url("uploads/page.html")
        assert local.verify("uploads/page.html", self.query(link.url)).content_type == "application/octet-stream"


def status(url: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


class TestRealS3:
    def test_a_link_opens_its_file_with_its_type(self, rclone: S3Files) -> None:
        rclone.put(KEY, b"one", "audio/mpeg")
        with urllib.request.urlopen(rclone.url(KEY).url, timeout=30) as answer:  # noqa: S310
            assert answer.read() == b"one"
            assert answer.headers["Content-Type"] == "audio/mpeg"
        with urllib.request.urlopen(rclone.url(KEY, filename="a b.mp3").url, timeout=30) as answer:  # noqa: S310
            assert answer.read() == b"one"

    def test_a_tampered_link_is_refused(self, rclone: S3Files) -> None:
        for key in (KEY, "results/0123/1/other.mp3"):
            rclone.put(key, b"one", "audio/mpeg")
        url = rclone.url(KEY).url
        assert status(url) == 200
        assert status(url.replace("clip.mp3", "other.mp3")) in REFUSED
        assert status(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000")) in REFUSED
        assert status(re.sub("X-Amz-Signature=.*", "X-Amz-Signature=" + "0" * 64, url)) in REFUSED
        assert status(url.partition("?")[0]) in REFUSED
        assert status(url, "DELETE") in REFUSED
        assert rclone.get(KEY) == b"one"

    def test_an_expired_link_is_refused(self, rclone: S3Files, monkeypatch: pytest.MonkeyPatch) -> None:
        rclone.put(KEY, b"one", "audio/mpeg")
        assert status(rclone.url(KEY).url) == 200
        long_ago = files_module.signing_time(3600) - 2 * 3600
        monkeypatch.setattr("riffusion.storage.s3.signing_time", lambda _: long_ago)
        assert status(rclone.url(KEY).url) in REFUSED

    def test_links_may_name_another_host(self, s3_server: S3Server) -> None:
        stored = S3Files(s3_options(s3_server, s3_public_endpoint="https://cdn.example/"))
        assert stored.url(KEY).url.startswith(f"https://cdn.example/{s3_server.bucket}/{KEY}?")

    def test_another_secret_is_refused(self, s3_server: S3Server) -> None:
        stored = S3Files(s3_options(s3_server, s3_secret_key="wrong"))
        for call in (stored.check, lambda: stored.put(KEY, b"x", "audio/mpeg"), lambda: list(stored.list(""))):
            with pytest.raises(StorageUnavailable):
                call()

    def test_a_bucket_that_is_not_there_is_unavailable(self, s3_server: S3Server) -> None:
        stored = S3Files(s3_options(s3_server, s3_bucket="none"))
        for call in (stored.check, lambda: stored.put(KEY, b"x", "audio/mpeg")):
            with pytest.raises(StorageUnavailable):
                call()

    def test_a_server_that_is_not_there_is_unavailable(self, s3_server: S3Server) -> None:
        stored = S3Files(s3_options(s3_server, s3_endpoint="http://127.0.0.1:1"))
        with pytest.raises(StorageUnavailable):
            stored.check()


def test_names_for_saving_are_sent_as_they_are(moto: S3Files) -> None:
    url = moto.url(KEY, filename='"quoted" é\r\n.mp3').url
    (value,) = [value for name, value in parse_qsl(urlsplit(url).query) if name == "response-content-disposition"]
    assert value == "attachment; filename*=UTF-8''%22quoted%22%20%C3%A9%0D%0A.mp3"
    assert urlsplit(url).path == f"/bucket/site/{KEY}"


def test_the_type_is_stored_with_the_file(moto: S3Files) -> None:
    moto.put(KEY, b"x", "audio/flac")
    found = moto._client.head_object(Bucket="bucket", Key=f"site/{KEY}")
    assert found["ContentType"] == "audio/flac"


def test_settings_choose_the_storage(tmp_path: Path) -> None:
    assert isinstance(open_files(Settings(data_dir=tmp_path)), LocalFiles)
    assert isinstance(open_files(Settings(storage="s3")), S3Files)
