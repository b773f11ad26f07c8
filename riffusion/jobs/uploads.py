"""Files that clients send in, to be used by jobs: records in Redis, content in Files."""

from dataclasses import dataclass
from typing import BinaryIO, Literal

from redis import Redis

from riffusion.jobs.files import Files
from riffusion.settings import Settings

UploadKind = Literal["image", "audio"]


@dataclass(frozen=True)
class UploadInfo:
    """What probing a file told."""

    kind: UploadKind
    content_type: str
    duration_s: float | None = None  # of audio
    width: int | None = None  # of pictures, pixels
    height: int | None = None


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


class UploadStore:
    """The uploads in one Redis and one storage. Thread-safe."""

    def __init__(self, redis: Redis, files: Files, settings: Settings) -> None:
        raise NotImplementedError

    def add(self, client: str, data: BinaryIO, info: UploadInfo) -> Upload:
        """Stores a seekable file that was probed before. Raises StorageUnavailable, StoreUnavailable."""
        raise NotImplementedError

    def get(self, upload_id: str, client: str) -> Upload:
        """The upload. Raises UnknownReference when it isn't there or isn't this client's."""
        raise NotImplementedError
