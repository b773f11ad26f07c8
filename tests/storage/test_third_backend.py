"""A storage needs one module: this one, put where `RIFFUSION_STORAGE=memory` finds it, serves the API."""

import io
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

import pytest

from api.app import create_app
from riffusion.errors import Gone, NotFound
from riffusion.settings import Settings
from riffusion.storage import (
    CONTENT_TYPES,
    LinkedFile,
    SignedUrl,
    Storage,
    StoredFile,
    is_key,
    open_storage,
    signing_time,
)
from tests.storage.conftest import KEY, StorageContract


class MemoryStorage(Storage):
    """Files in this process's memory, behind links of `/files/` that hold a secret each."""

    shown = "memory"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files: dict[str, bytes] = {}
        self._links: dict[tuple[str, float, str | None], str] = {}

    def put(self, key: str, data: bytes | BinaryIO, content_type: str) -> None:  # noqa: ARG002
        if not is_key(key):
            raise NotFound("There is no such file.")
        if not isinstance(data, bytes):
            data.seek(0)
            data = data.read()
        self._files[key] = data

    def get(self, key: str) -> bytes:
        if key not in self._files:
            raise NotFound(f"There is no file {key}.")
        return self._files[key]

    def delete(self, keys: Iterable[str]) -> None:
        for key in list(keys):
            if not is_key(key):
                raise NotFound("There is no such file.")
            self._files.pop(key, None)

    def scan(self, prefix: str) -> Iterator[StoredFile]:
        found = [(key, data) for key, data in self._files.items() if key.startswith(prefix)]
        return (StoredFile(key, len(data), 0.0) for key, data in found)

    def url(self, key: str, *, filename: str | None = None) -> SignedUrl:
        expires = signing_time(self._settings.url_ttl_s) + self._settings.url_ttl_s
        signature = self._links.setdefault((key, expires, filename), secrets.token_hex(8))
        return SignedUrl(f"{self._settings.public_url}/files/{key}?signature={signature}", expires)

    def open_link(self, key: str, query: Mapping[str, str]) -> LinkedFile:
        for (linked, expires, filename), signature in self._links.items():
            if linked == key and signature == query.get("signature"):
                if signing_time(0) >= expires:
                    raise Gone("This link has expired; ask for the job again to get a new one.")
                content_type = CONTENT_TYPES["." + key.rpartition(".")[2]]
                return LinkedFile(io.BytesIO(self.get(key)), content_type, filename)
        raise NotFound("This link isn't one that was given out.")

    def check(self) -> None: ...


Backend = MemoryStorage


@pytest.fixture
def memory_settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(sys.modules, "riffusion.storage.memory", sys.modules[__name__])
    return settings.model_copy(update={"storage": "memory", "public_url": "http://localhost"})


class TestMemoryContract(StorageContract):
    @pytest.fixture
    def storage(self, memory_settings: Settings) -> Storage:
        return open_storage(memory_settings)


def test_the_api_serves_its_files(memory_settings: Settings) -> None:
    app = create_app(memory_settings)
    storage = app.extensions["riffusion"].files
    assert isinstance(storage, MemoryStorage)
    storage.put(KEY, b"sound", "audio/mpeg")
    link = storage.url(KEY, filename="clip.mp3").url.removeprefix("http://localhost")
    client = app.test_client()
    response = client.get(link)
    assert (response.status_code, response.data, response.content_type) == (200, b"sound", "audio/mpeg")
    assert "clip.mp3" in response.headers["Content-Disposition"]
    part = client.get(link, headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.data) == (206, b"ou")
    assert client.get(link.partition("?")[0]).status_code == 404
    assert client.get("/readyz").status_code == 200


def test_a_storage_without_a_module_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Input should be .*'local'.* or 's3'"):
        Settings(storage="memory")


def test_a_storage_that_lacks_a_part_cannot_be_opened(
    memory_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unfinished(MemoryStorage):
        scan = Storage.scan

    monkeypatch.setattr(sys.modules[__name__], "Backend", Unfinished)
    with pytest.raises(TypeError, match="scan"):
        open_storage(memory_settings)
