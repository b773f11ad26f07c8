"""The files that jobs read and make, behind one interface. Each module of this package is one place to keep them.

Keys are relative paths: `results/{random}/clip.png` and `clip.<format>`, `uploads/{random}/file.<suffix>`, and
`erasures/{time}-{random}.txt`, which no link leads to. A link may reach anyone, so no key holds the id of a job or an
upload. A key's suffix decides the content type, and CONTENT_TYPES
has all there are: nothing that a browser would run is ever served.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from riffusion.errors import NotFound
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
    expires_at: float
    """Unix seconds."""


@dataclass(frozen=True)
class StoredFile:
    """A file as a listing shows it."""

    key: str
    size: int
    """Bytes."""
    modified_at: float
    """Unix seconds, of the storage's clock."""


@dataclass(frozen=True)
class LinkedFile:
    """The file behind a link to `/files/` of the API, which sends it."""

    content: Path | BinaryIO
    """An absolute path, or the bytes."""
    content_type: str
    filename: str | None
    """The name to save it as."""


class Storage(ABC):
    """Named files. Thread-safe.

    A module of this package has one implementation, as `Backend`, which `RIFFUSION_STORAGE` selects by the module's
    name. Every method raises StorageUnavailable when the storage refuses or doesn't respond.
    """

    origins: tuple[str, ...] = ()
    """The origins that links lead to, such as `https://bucket.example`; none where they lead to the API."""
    shown: str
    """Where the files are, for people; without secrets."""

    @abstractmethod
    def __init__(self, settings: Settings) -> None:
        """Connects to nothing yet."""

    @abstractmethod
    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
        """Stores the whole file or nothing; an existing one is replaced. A stream is read from its start."""

    @abstractmethod
    def get(self, key: str) -> bytes:
        """The file's content.

        Raises:
            NotFound: there is no such file.
        """

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Deletes files; those that aren't there count as deleted."""

    @abstractmethod
    def scan(self, prefix: str) -> Iterator[StoredFile]:
        """The files whose keys begin with `prefix`, a page at a time: memory doesn't grow with their number.

        A file that is stored or deleted meanwhile may be left out or not.
        """

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`."""
        return (file.key for file in self.scan(prefix))

    @abstractmethod
    def url(self, key: str, *, filename: str | None = None) -> SignedUrl:
        """A link for reading one file, the same within a signing window; `filename` is what browsers save it as."""

    def open_link(self, key: str, query: Mapping[str, str]) -> LinkedFile:  # noqa: ARG002 -- for those that have links
        """The file behind a link that `url` made to `/files/{key}?{query}` of the API.

        Raises:
            Gone: the link was valid and has expired.
            NotFound: `url` never made this link, or the file isn't there any more.
        """
        raise NotFound("This link isn't one that was given out.")

    @abstractmethod
    def check(self) -> None:
        """Returns if files can be stored now, and raises StorageUnavailable otherwise."""


def is_key(key: str) -> bool:
    """Whether this can be the name of a file: letters, digits and `-._` in parts that don't begin with a dot."""
    return _KEY.fullmatch(key) is not None


def signing_time(ttl_s: int) -> int:
    """The Unix second at which links made now, to live for `ttl_s`, count as signed.

    A window is half as long as a link lives: links made within one window are equal, and any link handed out opens the
    file for at least half of `ttl_s`.
    """
    window = max(1, ttl_s // 2)
    return int(time.time()) // window * window


def open_storage(settings: Settings) -> Storage:
    """The storage that `settings.storage` names."""
    backend: type[Storage] = import_module(f"{__name__}.{settings.storage}").Backend
    return backend(settings)
