"""The files that jobs take in and make, in a local folder or in S3, behind one protocol.

Keys are relative paths: `results/{random}/clip.png` and `clip.<format>`, `uploads/{random}/file.<suffix>`. A link may
reach anyone, so no key holds the id of a job or an upload.
Their suffix tells the content type, and CONTENT_TYPES is all there is: nothing that a browser would run is ever served.
"""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from riffusion.settings import Settings

CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".tiff": "image/tiff",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".webm": "audio/webm",
    ".aiff": "audio/aiff",
}

# Parts that don't begin with a dot: no key leads out of a folder or hides in it.
_KEY = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class SignedUrl:
    """A link that opens one file until it expires."""

    url: str
    expires_at: float  # Unix seconds


class Files(Protocol):
    """Named files. Thread-safe. Every method raises StorageUnavailable when the storage refuses or doesn't answer."""

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
        """Stores the whole file or nothing; an existing one is replaced. A stream is read from its start."""

    def get(self, key: str) -> bytes:
        """The file's content. Raises NotFound."""

    def delete(self, keys: Iterable[str]) -> None:
        """Deletes files; those that aren't there count as deleted."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with prefix."""

    def url(self, key: str, *, filename: str | None = None) -> SignedUrl:
        """A link for reading one file, the same within a signing window; `filename` is what browsers save it as."""

    def check(self) -> None:
        """Raises StorageUnavailable unless files can be stored now."""


def is_key(key: str) -> bool:
    """Whether this can be the name of a file: letters, digits and `-._` in parts that don't begin with a dot."""
    return _KEY.fullmatch(key) is not None


def signing_time(ttl_s: int) -> int:
    """The Unix second at which links made now, to live for `ttl_s`, count as signed.

    A window is half as long as a link lives: links made within one window are equal, and any link handed out opens the
    file for at least half of ttl_s.
    """
    window = max(1, ttl_s // 2)
    return int(time.time()) // window * window


def open_files(settings: Settings) -> Files:
    """The storage that the settings name."""
    if settings.storage == "s3":
        from riffusion.storage.s3 import S3Files

        return S3Files(settings)
    from riffusion.storage.local import LocalFiles

    return LocalFiles(settings)
