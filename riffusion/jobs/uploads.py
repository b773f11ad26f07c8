"""Files that tenants upload for their jobs: records in Redis, content in Storage."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import BinaryIO, Literal

from redis import Redis

from riffusion.errors import NotFound, StorageUnavailable, StoreUnavailable, UnknownReference
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.tenants import LISTS_PER_MINUTE, Tenant, list_refusal, owns, refusal
from riffusion.settings import Settings
from riffusion.storage import CONTENT_TYPES, Storage

UploadKind = Literal["image", "audio"]


@dataclass(frozen=True)
class UploadInfo:
    """What probing a file found."""

    kind: UploadKind
    content_type: str
    """One of CONTENT_TYPES."""
    duration_s: float | None = None
    """Of audio."""
    width: int | None = None
    """Of images, pixels."""
    height: int | None = None
    """Of images, pixels."""
    channels: int | None = None
    """Of audio."""


@dataclass(frozen=True)
class Upload:
    """One upload of one tenant."""

    id: str
    owner: str
    """Who may use it."""
    key: str
    """In Storage; uploads of the same content share it."""
    sha256: str
    """Hex."""
    size: int
    """Bytes."""
    created_at: float
    """Unix seconds."""
    expires_at: float
    """Unix seconds; it is kept for longer while jobs use it."""
    info: UploadInfo

    @classmethod
    def decode(cls, data: Mapping[bytes, bytes]) -> "Upload":
        """The upload from its hash in Redis."""
        text = {key.decode(): value.decode() for key, value in data.items()}
        kind: UploadKind = "audio" if text["kind"] == "audio" else "image"
        return cls(
            id=text["id"],
            owner=text.get("owner", text["client"]),
            key=text["key"],
            sha256=text["sha256"],
            size=int(text["size"]),
            created_at=float(text["created_at"]),
            expires_at=float(text["expires_at"]),
            info=UploadInfo(
                kind=kind,
                content_type=text["content_type"],
                duration_s=float(text["duration_s"]) if "duration_s" in text else None,
                width=int(text["width"]) if "width" in text else None,
                height=int(text["height"]) if "height" in text else None,
                channels=int(text["channels"]) if "channels" in text else None,
            ),
        )


@dataclass(frozen=True)
class UploadPage:
    """Part of an owner's uploads, newest first."""

    uploads: tuple[Upload, ...]
    cursor: str | None
    """For the next page; None after the last."""


def read_upload(database: Database, upload_id: str) -> Upload | None:
    """The upload; None if there is none, or its owner has deleted it."""
    data = database.hash(f"upload:{upload_id}")
    return Upload.decode(data) if data and b"deleted" not in data else None


class UploadStore:
    """The uploads in one Redis and one storage. Thread-safe."""

    def __init__(self, redis: Redis, files: Storage, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._files = files

    def begin(self, tenant: Tenant, size: int) -> None:
        """Charges a tenant for an upload of at most `size` bytes, before any of it is read; a failed one counts, too.

        Raises:
            TooManyRequests: the tenant has created, or keeps, as much as it may.
            StorageFull: the storage holds as many bytes as it may.
            StoreUnavailable: Redis doesn't respond, or has no memory for more.
        """
        charge = {"scopes": tenant.scopes, "quota": asdict(tenant.quota), "size": size}
        reply = self._database.run("begin_upload", json.dumps(charge), resend=False)
        if error := refusal(reply, tenant.quota):
            raise error

    def add(self, tenant: Tenant, data: BinaryIO, info: UploadInfo) -> Upload:
        """Stores a seekable file for which `begin` was called and which was probed.

        Raises:
            TooManyRequests, StorageFull: uploads that came in meanwhile have left no room for this one.
            StorageUnavailable, StoreUnavailable: it can't be stored now.
        """
        sha256 = _sha256(data)
        suffix = next((end for end, kind in CONTENT_TYPES.items() if kind == info.content_type), ".bin")
        # In a folder of its own, where listing finds it fast; a new one, so that a file being deleted is never reused.
        key = f"uploads/{secrets.token_hex(16)}/file{suffix}"
        fields: dict[str, str | float | None] = {
            "kind": info.kind,
            "content_type": info.content_type,
            "duration_s": info.duration_s,
            "width": info.width,
            "height": info.height,
            "channels": info.channels,
        }
        known = [part for pair in fields.items() if pair[1] is not None for part in pair if part is not None]
        upload_id = secrets.token_urlsafe(24)
        charge = {"scopes": tenant.scopes, "stored_bytes": tenant.quota.stored_bytes}
        charge |= {"owner": tenant.owner} if tenant.owner else {}
        # The record first: a file without one would never be deleted. The id is returned when the file is stored.
        reply = self._database.run("add_upload", upload_id, json.dumps(charge), data.tell(), sha256, key, *known)
        if error := refusal(reply, tenant.quota):
            raise error
        upload = Upload.decode(pairs(reply))
        try:
            self._files.put(upload.key, data, info.content_type)
        except StorageUnavailable:
            with suppress(StoreUnavailable):  # then it counts until it expires
                self._database.write("ZADD", "sweep_at", "0", f"upload:{upload_id}")
            raise
        with suppress(StoreUnavailable):  # costs at most a file that `riffusion reconcile` finds
            self._database.run("settle_upload", upload_id, sha256, upload.key)  # lists have shown it: is it deleted?
        return upload

    def get(self, upload_id: str, identity: str) -> Upload:
        """The upload.

        Raises:
            UnknownReference: there is none of this id, or `identity` doesn't own it.
        """
        upload = read_upload(self._database, upload_id)
        if upload is None or not owns(identity, upload.owner):
            raise UnknownReference(f"There is no upload {upload_id}; it may have expired.")
        return upload

    def list(self, tenant: Tenant, limit: int = 20, cursor: str | None = None) -> UploadPage:
        """The uploads of a tenant's owner, newest first, without those that were deleted.

        Those that came in under a version without this list, up to 2026-11-28, are not in it.

        Raises:
            TooManyRequests: the tenant asks for lists too often.
        """
        scopes = json.dumps(tenant.scopes)
        reply = self._database.run(
            "list_uploads", tenant.identity, limit, cursor or "", scopes, LISTS_PER_MINUTE, resend=False
        )
        if error := list_refusal(reply):
            raise error
        next_cursor, *uploads = reply
        return UploadPage(tuple(Upload.decode(pairs(each)) for each in uploads), next_cursor.decode() or None)

    def delete(self, upload_id: str, identity: str | None = None) -> None:
        """Deletes an upload: no request can name it any more. Its file is kept until the jobs that need it have ended.

        Args:
            identity: of the tenant that asks for it; without one, access isn't checked.

        Raises:
            NotFound: there is no such upload, or `identity` doesn't own it.
        """
        upload = read_upload(self._database, upload_id)
        if upload is None or not (identity is None or owns(identity, upload.owner)):
            raise NotFound(f"There is no upload {upload_id}.")
        self._database.run("delete_upload", upload_id)


def _sha256(data: BinaryIO) -> str:
    digest = hashlib.sha256()
    data.seek(0)
    while chunk := data.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
