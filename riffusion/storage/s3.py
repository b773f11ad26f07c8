"""Files in a bucket of S3, or of anything that speaks its protocol."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from pydantic import SecretStr

from riffusion.errors import NotFound, StorageUnavailable
from riffusion.settings import Settings
from riffusion.storage import SignedUrl, Storage, StoredFile, is_key, signing_time

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_DELETE_AT_ONCE = 1000  # the protocol's limit
_UNNAMED_REGION = "us-east-1"  # S3 refuses it as a bucket's region, since it is the default
_NO_BUCKET = "404"  # a reply to HEAD has no body that could hold a code


class S3Storage(Storage):
    """Files in `settings.s3_bucket`, all keys behind `settings.s3_prefix`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = boto3.session.Session(
            aws_access_key_id=_revealed(settings.s3_access_key),
            aws_secret_access_key=_revealed(settings.s3_secret_key),
            region_name=settings.s3_region,
        )
        self._client: S3Client = self._session.client(
            "s3",
            endpoint_url=settings.s3_endpoint,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                # The newer checksums are unknown to many servers that speak S3.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=2,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 3},
                max_pool_connections=64,
            ),
        )
        endpoint = urlsplit(self._client.meta.endpoint_url).netloc.rpartition("@")[2]
        self.shown = f"s3://{settings.s3_bucket}/{settings.s3_prefix} at {endpoint}"
        self._public_endpoint = (settings.s3_public_endpoint or self._client.meta.endpoint_url).rstrip("/")
        parts = urlsplit(self._public_endpoint)
        self.origins = (f"{parts.scheme}://{parts.netloc}",)

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
        """See Storage."""
        if not isinstance(data, bytes):
            data.seek(0)
        with _refusals():
            self._client.put_object(
                Bucket=self._settings.s3_bucket, Key=self._name(key), Body=data, ContentType=content_type
            )

    def get(self, key: str) -> bytes:
        """See Storage."""
        with _refusals():
            try:
                return self._client.get_object(Bucket=self._settings.s3_bucket, Key=self._name(key))["Body"].read()
            except self._client.exceptions.NoSuchKey:
                raise NotFound(f"There is no file {key}.") from None

    def delete(self, keys: Iterable[str]) -> None:
        """See Storage."""
        names = map(self._name, keys)  # as they come: a scan of the bucket may be deleted
        while batch := list(islice(names, _DELETE_AT_ONCE)):
            with _refusals():
                reply = self._client.delete_objects(
                    Bucket=self._settings.s3_bucket,
                    Delete={"Objects": [{"Key": name} for name in batch], "Quiet": True},
                )
            if any(error.get("Code") != "NoSuchKey" for error in reply.get("Errors", [])):
                raise StorageUnavailable("The object storage doesn't delete files; try again later.")

    def scan(self, prefix: str) -> Iterator[StoredFile]:
        """See Storage."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._settings.s3_bucket, Prefix=self._settings.s3_prefix + prefix
        )
        with _refusals():
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"].removeprefix(self._settings.s3_prefix)
                    yield StoredFile(key, item["Size"], item["LastModified"].timestamp())

    def url(self, key: str, *, filename: str | None = None) -> SignedUrl:
        """See Storage."""
        ttl_s = self._settings.url_ttl_s
        signed_at = signing_time(ttl_s)
        with _refusals():
            credentials = self._session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            auth = _WindowedAuth(credentials.get_frozen_credentials(), self._settings.s3_region, signed_at, ttl_s)
            request = AWSRequest("GET", f"{self._public_endpoint}/{self._settings.s3_bucket}/{quote(self._name(key))}")
            if filename:
                request.params = {"response-content-disposition": f"attachment; filename*=UTF-8''{quote(filename)}"}
            auth.add_auth(request)
        return SignedUrl(str(request.url), signed_at + ttl_s)

    def check(self) -> None:
        """See Storage."""
        with _refusals():
            self._client.head_bucket(Bucket=self._settings.s3_bucket)

    def make_bucket(self) -> None:
        """Makes the bucket, unless it is there.

        Raises:
            StorageUnavailable: the server doesn't respond, or these keys may not.
        """
        name, region = self._settings.s3_bucket, self._settings.s3_region
        with _refusals():
            try:
                self._client.head_bucket(Bucket=name)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != _NO_BUCKET:
                    raise
                if region == _UNNAMED_REGION:
                    self._client.create_bucket(Bucket=name)
                else:
                    place: Any = {"LocationConstraint": region}
                    self._client.create_bucket(Bucket=name, CreateBucketConfiguration=place)

    def _name(self, key: str) -> str:
        if not is_key(key):
            raise NotFound("There is no such file.")
        return self._settings.s3_prefix + key


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


class _WindowedAuth(S3SigV4QueryAuth):
    """Signs links as of a given time, so that those made within one window are equal.

    boto3's own presigning always takes the present moment.
    """

    def __init__(self, credentials: ReadOnlyCredentials, region: str, signed_at: int, ttl_s: int) -> None:
        super().__init__(credentials, "s3", region, expires=ttl_s)
        self._timestamp = datetime.fromtimestamp(signed_at, UTC).strftime("%Y%m%dT%H%M%SZ")

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._timestamp
        super()._modify_request_before_signing(request)  # type: ignore[misc]  # missing in the stubs


@contextmanager
def _refusals() -> Iterator[None]:
    """boto3's errors as StorageUnavailable."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise StorageUnavailable(f"The object storage refuses: {code}.") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageUnavailable("The object storage doesn't respond; try again later.") from error


Backend = S3Storage
