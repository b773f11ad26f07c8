"""A file that a job made: its address, its bytes, or saved."""

import contextlib
import io
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from riffusion.client.calls import Asynchronous, Blocking, call
from riffusion.errors import RequestError

if TYPE_CHECKING:
    from riffusion.client.job import JobCalls


class FileCalls:
    """What `File` and `AsyncFile` have in common."""

    def __init__(self, job: "JobCalls[Any, Any]", kind: Literal["image", "audio"]) -> None:
        self._job = job
        self._kind = kind

    @property
    def url(self) -> str:
        """Its address, which works for anyone who has it, for a while; `refresh` the job for a new one."""
        return self._job.result.image.url if self._kind == "image" else self._job.result.audio.url

    @property
    def format(self) -> str:
        """`png`, `mp3`, `wav`, `flac` or `ogg`."""
        return "png" if self._kind == "image" else self._job.result.audio.format

    @property
    def name(self) -> str:
        """A name for it, such as `01a2037ab56c.mp3`."""
        return f"{self._job.id[:12]}.{self.format}"

    @call
    async def read(self) -> bytes:
        """Its content.

        Raises:
            RequestError: the job has not succeeded, or the server no longer has the file.
        """
        return await self._read()

    @call
    async def open(self) -> io.BytesIO:
        """Its content as a file that is open for reading, with a name.

        Raises:
            RequestError: see `read`.
        """
        file = io.BytesIO(await self._read())
        file.name = self.name
        return file

    @call
    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Saves it, whole or not at all, and makes the folders that are missing.

        Raises:
            RequestError: see `read`.
        """
        return await self._save(Path(path))

    async def _read(self) -> bytes:
        transport, url = self._job._transport, self.url
        try:
            response = await transport.request("GET", url)
        except RequestError:  # its link may have expired: storages say so in their own ways
            await self._job._refresh()
            if self.url == url:
                raise
            response = await transport.request("GET", self.url)
        return response.content

    async def _save(self, path: Path) -> Path:
        content = await self._read()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            partial.write_bytes(content)
            os.replace(partial, path)  # noqa: PTH105 -- the same call, under the name that says it replaces
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()
        return path


class File(FileCalls, Blocking):
    """A file of a `Job`."""


class AsyncFile(FileCalls, Asynchronous):
    """A file of an `AsyncJob`."""
