"""A job of the client: its state, its end, its files."""

import contextlib
import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from riffusion.client.calls import Asynchronous, Blocking, call, stream
from riffusion.client.events import Event, follow
from riffusion.client.job_state import JobState
from riffusion.client.models import JobData, Share
from riffusion.client.result_file import AsyncFile, File, FileCalls
from riffusion.client.transport import Transport
from riffusion.errors import Gone, NotFound, RequestError, RiffusionError

CANCEL_S = 5.0  # for which an interrupted run tries to cancel its job

_J = TypeVar("_J", bound="JobCalls[Any, Any]")
_F = TypeVar("_F", bound=FileCalls)


@dataclass(frozen=True)
class Downloaded:
    """The paths of a job's downloaded files."""

    image: Path
    audio: Path


class JobCalls(JobState, Generic[_J, _F]):
    """What `Job` and `AsyncJob` have in common."""

    _file: type[_F]

    @property
    def audio(self) -> _F:
        """Its sound, once it has succeeded."""
        return self._file(self, "audio")

    @property
    def image(self) -> _F:
        """Its picture, once it has succeeded."""
        return self._file(self, "image")

    @call
    async def wait(self, progress: "Callable[[_J], None] | None" = None, timeout_s: float | None = None) -> _J:
        """Waits until the job has succeeded, and returns it.

        Args:
            progress: called with this job after every change.

        Raises:
            JobError: the job failed or was canceled; the class says why.
            TimeoutError: the job hasn't ended after `timeout_s`. It keeps running.
        """
        return await self._wait(progress, timeout_s)

    @stream
    async def events(self, *, previews: bool = False) -> AsyncGenerator[Event, None]:
        """What happens to the job, from now until it ends; a broken stream is resumed.

        Args:
            previews: each event after which the emerging picture has changed brings it along.

        Raises:
            NotFound, Gone: the server no longer has the job.
            UnavailableError: the server has been unavailable for longer than the client's `retry_for_s`.
        """
        seen = 0
        async with contextlib.aclosing(follow(self._transport, self.id)) as states:
            async for data in states:
                self._state = data, None
                number = data.preview.number if data.preview else 0
                picture = await self._glance() if previews and number not in (0, seen) else None
                seen = number
                yield Event(data, picture)

    @call
    async def preview(self) -> bytes | None:
        """The picture as it emerges, a grey WebP; None while there is none, and once the job has ended.

        `data.preview.number` rises with each new one, as of the latest call that fetched the state.
        """
        return await self._preview(self._transport) if self.data.preview else None

    @call
    async def cancel(self) -> _J:
        """Cancels the job if it hasn't ended; repeating it changes nothing."""
        self._state = await self._transport.fetch(JobData, "POST", f"{self._path}/cancel"), None
        return self._itself

    @call
    async def delete(self) -> None:
        """Cancels the job if it hasn't ended, and deletes its record and files.

        Raises:
            NotFound, Gone: the server no longer has the job.
        """
        await self._transport.request("DELETE", self._path)

    @call
    async def publish(self) -> Share:
        """Shows the clip to everyone who has the address that is returned; publishing again returns the same."""
        return await self._transport.fetch(Share, "POST", f"{self._path}/publish")

    @call
    async def save(self, path: str | os.PathLike[str]) -> Path:
        """Saves the sound or, at a path that ends with .png, the picture.

        Raises:
            RequestError: the job has not succeeded, its files are gone, or the path's suffix is that of another format.
        """
        suffix = Path(path).suffix.lower()
        file = self.image if suffix == ".png" else self.audio
        if suffix != f".{file.format}":
            raise RequestError(
                f"The clip's sound is {file.format} and its picture png: save it with one of these suffixes instead of "
                f"{Path(path).name}, or make it with another `format`."
            )
        return await file._save(Path(path))

    @call
    async def download(self, folder: str | os.PathLike[str], name: str | None = None) -> Downloaded:
        """Saves the picture and the sound.

        Args:
            name: the files' name without suffix; left out, the job's id.

        Raises:
            RequestError: the job has not succeeded, or its files are gone.
        """
        stem = Path(folder) / (name or self.id)
        image, audio = (stem.with_name(f"{stem.name}.{file.format}") for file in (self.image, self.audio))
        return Downloaded(await self.image._save(image), await self.audio._save(audio))

    @property
    def _itself(self) -> _J:
        return cast("_J", self)  # every class names itself

    async def _wait(self, progress: "Callable[[_J], None] | None", timeout_s: float | None) -> _J:
        await self._until_ended(progress, timeout_s)
        if self.error is not None:
            raise self.error
        return self._itself

    async def _run(self, timeout_s: float | None) -> None:
        """Waits; where that is interrupted, cancels the job, which nobody else knows."""
        try:
            await self._wait(None, timeout_s)
        except GeneratorExit:  # its event loop is gone
            raise
        except BaseException:
            if not self.ended:
                await self._transport.wire.finish(self._abandon())
            raise

    async def _abandon(self) -> None:
        with contextlib.suppress(RiffusionError):  # what has interrupted it says more
            await self._transport.with_options(CANCEL_S, 0).request("POST", f"{self._path}/cancel")

    async def _glance(self) -> bytes | None:
        try:
            return await self._preview(self._transport.with_options(retry_for_s=0))
        except RiffusionError:
            return None  # the next event may bring one

    async def _preview(self, transport: Transport) -> bytes | None:
        try:
            return (await transport.request("GET", f"{self._path}/preview")).content
        except (NotFound, Gone):
            return None


class Job(JobCalls["Job", File], Blocking):
    """A job on a server, of a `Client`."""

    _file = File


class AsyncJob(JobCalls["AsyncJob", AsyncFile], Asynchronous):
    """A job on a server, of an `AsyncClient`."""

    _file = AsyncFile
