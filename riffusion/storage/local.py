"""Files in a local folder, behind links that the API serves under /files/."""

import errno
import hashlib
import hmac
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import quote, urlencode

from riffusion.durable import sync
from riffusion.errors import Gone, NotFound, StorageFull, StorageUnavailable
from riffusion.settings import Settings
from riffusion.storage import CONTENT_TYPES, LinkedFile, SignedUrl, Storage, StoredFile, is_key, signing_time


class LocalStorage(Storage):
    """Files under `settings.data_dir`, in `files/`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._root = settings.data_dir / "files"
        self.shown = str(self._root.absolute())

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:  # noqa: ARG002 -- the suffix decides it
        """See Storage."""
        path = self._path(key)
        # Beside the file and beginning with its name: what a crash leaves behind is deleted along with the file.
        draft = path.with_name(f"{path.name}.draft-{secrets.token_hex(6)}")
        with _refusals():
            self._check_room(len(data) if isinstance(data, bytes) else data.seek(0, os.SEEK_END))
            try:
                with _create(draft) as file:
                    if isinstance(data, bytes):
                        file.write(data)
                    else:
                        data.seek(0)
                        shutil.copyfileobj(data, file)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
                sync(path.parent)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def get(self, key: str) -> bytes:
        """See Storage."""
        with _refusals():
            try:
                return self._path(key).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise NotFound(f"There is no file {key}.") from None

    def delete(self, keys: Iterable[str]) -> None:
        """See Storage."""
        with _refusals():
            for key in keys:
                path = self._path(key)
                path.unlink(missing_ok=True)
                with suppress(OSError):  # a folder that isn't empty stays
                    for folder in path.parents[: len(PurePosixPath(key).parts) - 1]:
                        folder.rmdir()

    def scan(self, prefix: str) -> Iterator[StoredFile]:
        """See Storage."""
        folder, _, start = prefix.rpartition("/")
        with _refusals():
            yield from _walk(self._root / folder, f"{folder}/" if folder else "", start)

    def url(self, key: str, *, filename: str | None = None) -> SignedUrl:
        """See Storage. The link is {public_url}/files/{key}?expires=...&signature=...[&filename=...]."""
        expires = signing_time(self._settings.url_ttl_s) + self._settings.url_ttl_s
        query = {"expires": str(expires)} | ({"filename": filename} if filename else {})
        query["signature"] = self._sign(key, query)
        base = self._settings.public_url.rstrip("/")
        return SignedUrl(f"{base}/files/{quote(key)}?{urlencode(query)}", expires)

    def open_link(self, key: str, query: Mapping[str, str]) -> LinkedFile:
        """See Storage."""
        signed = {name: query[name] for name in ("expires", "filename") if name in query}
        signature = query.get("signature", "")
        if not is_key(key) or not hmac.compare_digest(signature.encode(), self._sign(key, signed).encode()):
            raise NotFound("This link isn't one that was given out.")
        if time.time() >= int(signed["expires"]):
            raise Gone("This link has expired; ask for the job again to get a new one.")
        path = self._path(key)
        if not path.is_file():
            raise NotFound(f"There is no file {key} any more.")
        content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
        return LinkedFile(path.absolute(), content_type, signed.get("filename"))

    def check(self) -> None:
        """See Storage."""
        with _refusals():
            self._check_room(0)
            if not os.access(self._root, os.W_OK):
                raise StorageUnavailable("The data folder can't be written.")

    def _check_room(self, size: int) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._root).free - size < self._settings.min_free_bytes:
            raise StorageFull("The disk of the data folder is full.")

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise NotFound("There is no such file.")
        return self._root / key

    def _sign(self, key: str, query: Mapping[str, str]) -> str:
        message = "\n".join(["GET", key, query.get("expires", ""), query.get("filename", "")])
        return hmac.new(self._secret, message.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def _secret(self) -> bytes:
        if self._settings.secret_key is not None:
            return self._settings.secret_key.get_secret_value().encode()
        with _refusals():
            return _kept_secret(self._settings.data_dir / "secret_key")


def _walk(folder: Path, prefix: str, start: str = "") -> Iterator[StoredFile]:
    """The files in a folder and those below, whose names in it begin with `start`; any may go away meanwhile."""
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            if not entry.name.startswith(start):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(folder / entry.name, f"{prefix}{entry.name}/")
                continue
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                yield StoredFile(prefix + entry.name, found.st_size, found.st_mtime)


def _kept_secret(path: Path) -> bytes:
    """The secret in a file that only its owner can read; the first process to need it draws it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.draft-{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):  # unlike a rename, a link never replaces what another process has put there
        path.hardlink_to(draft)
    draft.unlink()
    sync(path.parent)
    return path.read_bytes()


def _create(path: Path) -> BinaryIO:
    """Opens a new file in a folder that another process may be deleting because it was empty."""
    for _ in range(10):
        with suppress(FileNotFoundError):
            _make_folder(path.parent)
            return path.open("xb")
    raise StorageUnavailable("The data folder can't be written.")


def _make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, with durable names."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


@contextmanager
def _refusals() -> Iterator[None]:
    """The operating system's errors as StorageUnavailable, without their paths."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The data folder is full.") from error
        reason = error.strerror or type(error).__name__
        raise StorageUnavailable(f"The data folder refuses: {reason}.") from error


Backend = LocalStorage
