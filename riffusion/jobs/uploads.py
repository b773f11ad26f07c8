"""Files that clients send in, to be used by jobs: records in Redis, content in Files."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import BinaryIO, Literal

from redis import Redis

from riffusion.errors import StorageUnavailable, StoreUnavailable, UnknownReference
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.tenants import Client, owns, refusal
from riffusion.settings import Settings
from riffusion.storage import CONTENT_TYPES, Files

UploadKind = Literal["image", "audio"]


@dataclass(frozen=True)
class UploadInfo:
    """What probing a file told."""

    kind: UploadKind
    content_type: str  # one of CONTENT_TYPES
    duration_s: float | None = None  # of audio
    width: int | None = None  # of pictures, pixels
    height: int | None = None
    channels: int | None = None  # of audio


@dataclass(frozen=True)
class Upload:
    """One upload of one client."""

    id: str
    owner: str  # who may use it
    key: str  # in Files; uploads of the same content share it
    sha256: str  # hex
    size: int  # bytes
    created_at: float  # Unix seconds
    expires_at: float  # later, if jobs use it
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


class UploadStore:
    """The uploads in one Redis and one storage. Thread-safe."""

    def __init__(self, redis: Redis, files: Files, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._files = files

    def admit(self, client: Client, size: int) -> None:
        """Charges a client for an upload of at most `size` bytes, before it is read and whatever becomes of it.

        Raises:
            TooManyRequests: the client has created, or keeps, as much as it may.
            StorageFull: the storage holds as many bytes as it may.
            StoreUnavailable: Redis doesn't answer, or has no memory for more.
        """
        order = {"scopes": client.scopes, "quota": asdict(client.quota), "size": size}
        reply = self._database.run("begin_upload", json.dumps(order), resend=False)
        if error := refusal(reply, client.quota):
            raise error

    def add(self, client: Client, data: BinaryIO, info: UploadInfo) -> Upload:
        """Stores a seekable file that was admitted and probed before.

        Raises:
            TooManyRequests, StorageFull: others were faster, and there is no room left for this one.
            StorageUnavailable, StoreUnavailable: it can't be stored now.
        """
        sha256 = _sha256(data)
        suffix = next((end for end, kind in CONTENT_TYPES.items() if kind == info.content_type), ".bin")
        # A folder of its own: so a file is found without looking at all, and told from one that is just being deleted.
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
        order = {"scopes": client.scopes, "stored_bytes": client.quota.stored_bytes}
        order |= {"owner": client.owner} if client.owner else {}
        # The record first: a file without one would never be deleted. Its id is told when the file is there.
        reply = self._database.run("add_upload", upload_id, json.dumps(order), data.tell(), sha256, key, *known)
        if error := refusal(reply, client.quota):
            raise error
        upload = Upload.decode(pairs(reply))
        try:
            self._files.put(upload.key, data, info.content_type)
        except StorageUnavailable:
            with suppress(StoreUnavailable):  # then it counts until it expires
                self._database.write("ZADD", "sweep_at", "0", f"upload:{upload_id}")
            raise
        return upload

    def get(self, upload_id: str, identity: str) -> Upload:
        """The upload. Raises UnknownReference when it isn't there or isn't this client's."""
        data = self._database.hash(f"upload:{upload_id}")
        if not data or not owns(identity, Upload.decode(data).owner):
            raise UnknownReference(f"There is no upload {upload_id}; it may have expired.")
        return Upload.decode(data)


def _sha256(data: BinaryIO) -> str:
    digest = hashlib.sha256()
    data.seek(0)
    while chunk := data.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
