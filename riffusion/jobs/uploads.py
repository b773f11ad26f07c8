"""Files that clients send in, to be used by jobs: records in Redis, content in Files."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from redis import Redis

from riffusion.errors import UnknownReference
from riffusion.jobs.clients import UNLIMITED, Quota, owns, too_many_creates
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.files import CONTENT_TYPES, Files
from riffusion.settings import Settings

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
    client: str
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
            client=text["client"],
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

    def add(self, client: str, data: BinaryIO, info: UploadInfo, quota: Quota = UNLIMITED) -> Upload:
        """Stores a seekable file that was probed before.

        Raises:
            TooManyRequests: the client has created as much as it may.
            StorageUnavailable, StoreUnavailable: it can't be stored now.
        """
        sha256 = _sha256(data)
        suffix = next((end for end, kind in CONTENT_TYPES.items() if kind == info.content_type), ".bin")
        # The nonce tells this file from one of the same content that is just being deleted.
        key = f"uploads/{sha256}-{secrets.token_hex(4)}{suffix}"
        fields: dict[str, str | float | None] = {
            "size": data.tell(),
            "kind": info.kind,
            "content_type": info.content_type,
            "duration_s": info.duration_s,
            "width": info.width,
            "height": info.height,
            "channels": info.channels,
        }
        known = [part for pair in fields.items() if pair[1] is not None for part in pair if part is not None]
        upload_id = secrets.token_urlsafe(24)
        # The record first: a file without one would never be deleted. Its id is told when the file is there.
        reply = self._database.run("upload", upload_id, client, quota.creates_per_minute, sha256, key, *known)
        if reply[0] == b"too many creates":
            raise too_many_creates(quota, float(reply[1]))
        upload = Upload.decode(pairs(reply))
        self._files.put(upload.key, data, info.content_type)
        return upload

    def get(self, upload_id: str, client: str) -> Upload:
        """The upload. Raises UnknownReference when it isn't there or isn't this client's."""
        data = self._database.hash(f"upload:{upload_id}")
        if not data or not owns(client, data[b"client"].decode()):
            raise UnknownReference(f"There is no upload {upload_id}; it may have expired.")
        return Upload.decode(data)


def _sha256(data: BinaryIO) -> str:
    digest = hashlib.sha256()
    data.seek(0)
    while chunk := data.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
