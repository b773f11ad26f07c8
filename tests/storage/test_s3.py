"""Files in S3: moto in this process, and a real server."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from moto import mock_aws

from riffusion import storage as storage_module
from riffusion.errors import NotFound, StorageUnavailable
from riffusion.settings import Settings
from riffusion.storage import open_storage
from riffusion.storage.s3 import S3Storage
from tests.conftest import S3Server
from tests.storage.conftest import KEY, StorageContract

REFUSED = {400, 403}  # servers differ


@pytest.fixture(scope="module")
def moto_client() -> Iterator[S3Storage]:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    settings = Settings(storage="s3", s3_bucket="bucket", s3_prefix="site/", s3_access_key="a", s3_secret_key="s")
    with mock_aws():
        boto3.client("s3", **keys).create_bucket(Bucket="bucket")  # type: ignore[call-overload]
        yield S3Storage(settings)


@pytest.fixture
def moto(moto_client: S3Storage) -> Iterator[S3Storage]:
    """A client takes a while to make, so tests share one, and leave it empty."""
    yield moto_client
    moto_client.delete(list(moto_client.list("")))


@pytest.fixture(scope="module")
def rclone_client(rclone_server: S3Server) -> S3Storage:
    return S3Storage(s3_options(rclone_server.with_bucket()))


@pytest.fixture
def rclone(rclone_client: S3Storage) -> Iterator[S3Storage]:
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


class TestMotoContract(StorageContract):
    @pytest.fixture
    def storage(self, moto: S3Storage) -> S3Storage:
        return moto


class TestServerContract(StorageContract):
    @pytest.fixture
    def storage(self, rclone: S3Storage) -> S3Storage:
        return rclone


def status(url: str, method: str = "GET") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


class TestRealS3:
    def test_a_link_opens_its_file_with_its_type(self, rclone: S3Storage) -> None:
        rclone.put(KEY, b"one", "audio/mpeg")
        with urllib.request.urlopen(rclone.url(KEY).url, timeout=30) as response:  # noqa: S310
            assert response.read() == b"one"
            assert response.headers["Content-Type"] == "audio/mpeg"
        with urllib.request.urlopen(rclone.url(KEY, filename="a b.mp3").url, timeout=30) as response:  # noqa: S310
            assert response.read() == b"one"

    def test_a_tampered_link_is_refused(self, rclone: S3Storage) -> None:
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

    def test_an_expired_link_is_refused(self, rclone: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        rclone.put(KEY, b"one", "audio/mpeg")
        assert status(rclone.url(KEY).url) == 200
        long_ago = storage_module.signing_time(3600) - 2 * 3600
        monkeypatch.setattr("riffusion.storage.s3.signing_time", lambda _: long_ago)
        assert status(rclone.url(KEY).url) in REFUSED

    def test_links_may_name_another_host(self, s3_server: S3Server) -> None:
        stored = S3Storage(s3_options(s3_server, s3_public_endpoint="https://cdn.example/"))
        assert stored.url(KEY).url.startswith(f"https://cdn.example/{s3_server.bucket}/{KEY}?")

    def test_another_secret_is_refused(self, s3_server: S3Server) -> None:
        stored = S3Storage(s3_options(s3_server, s3_secret_key="wrong"))
        for call in (stored.check, lambda: stored.put(KEY, b"x", "audio/mpeg"), lambda: list(stored.list(""))):
            with pytest.raises(StorageUnavailable):
                call()

    def test_a_bucket_that_is_not_there_is_unavailable(self, s3_server: S3Server) -> None:
        stored = S3Storage(s3_options(s3_server, s3_bucket="none"))
        for call in (stored.check, lambda: stored.put(KEY, b"x", "audio/mpeg")):
            with pytest.raises(StorageUnavailable):
                call()

    def test_a_bucket_is_made_once(self, s3_server: S3Server) -> None:
        stored = S3Storage(s3_options(s3_server, s3_bucket="fresh"))
        stored.make_bucket()
        stored.put(KEY, b"one", "audio/mpeg")
        stored.make_bucket()
        assert stored.get(KEY) == b"one"

    def test_making_a_bucket_says_what_is_wrong(self, s3_server: S3Server) -> None:
        for wrong in ({"s3_secret_key": "wrong"}, {"s3_endpoint": "http://127.0.0.1:1"}):
            with pytest.raises(StorageUnavailable):
                S3Storage(s3_options(s3_server, **wrong)).make_bucket()

    def test_a_server_that_is_not_there_is_unavailable(self, s3_server: S3Server) -> None:
        stored = S3Storage(s3_options(s3_server, s3_endpoint="http://127.0.0.1:1"))
        with pytest.raises(StorageUnavailable):
            stored.check()


def test_names_for_saving_are_sent_as_they_are(moto: S3Storage) -> None:
    url = moto.url(KEY, filename='"quoted" é\r\n.mp3').url
    (value,) = [value for name, value in parse_qsl(urlsplit(url).query) if name == "response-content-disposition"]
    assert value == "attachment; filename*=UTF-8''%22quoted%22%20%C3%A9%0D%0A.mp3"
    assert urlsplit(url).path == f"/bucket/site/{KEY}"


def test_a_bucket_is_made_in_the_region_of_the_settings() -> None:
    settings = Settings(storage="s3", s3_bucket="clips", s3_region="eu-north-1", s3_access_key="a", s3_secret_key="s")
    with mock_aws():
        stored = S3Storage(settings)
        stored.make_bucket()
        place = stored._client.get_bucket_location(Bucket="clips")["LocationConstraint"]
    assert place == "eu-north-1"


def test_the_type_is_stored_with_the_file(moto: S3Storage) -> None:
    moto.put(KEY, b"x", "audio/flac")
    found = moto._client.head_object(Bucket="bucket", Key=f"site/{KEY}")
    assert found["ContentType"] == "audio/flac"


def test_its_links_are_not_the_apis(moto: S3Storage) -> None:
    moto.put(KEY, b"x", "audio/mpeg")
    with pytest.raises(NotFound):
        moto.open_link(KEY, dict(parse_qsl(urlsplit(moto.url(KEY).url).query)))


@pytest.mark.parametrize(
    "endpoints",
    [
        {},
        {"s3_region": "eu-west-1"},
        {"s3_endpoint": "http://inside:8333"},
        {"s3_endpoint": "http://inside:8333", "s3_public_endpoint": "https://files.example/base"},
    ],
)
def test_its_origin_is_that_of_its_links(endpoints: dict[str, str]) -> None:
    storage = S3Storage(Settings.model_validate({"s3_access_key": "a", "s3_secret_key": "s", **endpoints}))
    link = urlsplit(storage.url(KEY).url)
    assert storage.origins == (f"{link.scheme}://{link.netloc}",)


def test_it_is_shown_without_secrets(moto: S3Storage) -> None:
    assert moto.shown == "s3://bucket/site/ at s3.amazonaws.com"
    own = Settings(
        storage="s3", s3_endpoint="http://user:hidden@files.example:9000", s3_access_key="a", s3_secret_key="s"
    )
    assert S3Storage(own).shown == "s3://riffusion/ at files.example:9000"


def test_settings_select_it() -> None:
    assert isinstance(open_storage(Settings(storage="s3")), S3Storage)
