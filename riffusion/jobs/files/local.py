"""Files in a local folder, behind links that the API serves under /files/."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from riffusion.jobs.files import SignedUrl
from riffusion.settings import Settings


@dataclass(frozen=True)
class OpenFile:
    """A file that a link allows to read."""

    path: Path
    content_type: str
    filename: str | None  # to save it as


class LocalFiles:
    """Files under data_dir/files."""

    def __init__(self, settings: Settings) -> None:
        raise NotImplementedError

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:
        """See Files."""
        raise NotImplementedError

    def get(self, key: str) -> bytes:
        """See Files."""
        raise NotImplementedError

    def delete(self, keys: Iterable[str]) -> None:
        """See Files."""
        raise NotImplementedError

    def list(self, prefix: str) -> Iterator[str]:
        """See Files."""
        raise NotImplementedError

    def url(self, key: str, *, filename: str | None = None) -> SignedUrl:
        """See Files. The link is {public_url}/files/{key}?expires=...&signature=...[&filename=...]."""
        raise NotImplementedError

    def verify(self, key: str, query: Mapping[str, str]) -> OpenFile:
        """The file behind a link, for the API to send.

        Raises:
            Gone: the link was valid and has expired.
            NotFound: the signature doesn't fit the key and query, or the file isn't there.
        """
        raise NotImplementedError

    def check(self) -> None:
        """See Files."""
        raise NotImplementedError
