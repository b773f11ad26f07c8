"""The files that jobs take in and make, in a local folder or in S3, behind one protocol.

Keys are relative paths: `results/{job id}/{token}/clip.png` and `clip.<format>`, `uploads/{sha256}-{nonce}`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from riffusion.settings import Settings


@dataclass(frozen=True)
class SignedUrl:
    """A link that opens one file until it expires."""

    url: str
    expires_at: float  # Unix seconds


class Files(Protocol):
    """Named files. Every method raises StorageUnavailable when the storage refuses or doesn't answer."""

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
        """Stores the whole file or nothing; an existing one is replaced."""

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


def open_files(settings: Settings) -> Files:
    """The storage that the settings name."""
    raise NotImplementedError
