"""A job's events, as the server streams them."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import ValidationError

from riffusion.client.models import JobData
from riffusion.client.transport import NoResponse, Retries, Transport, unreadable
from riffusion.errors import UnavailableError

SILENT_S = 20  # longer than the server is ever silent
PAUSE_S = 1.0  # before a stream that ended is opened again


@dataclass(frozen=True)
class Event:
    """A moment in the life of a job."""

    data: JobData
    """The whole job at that time."""
    preview: bytes | None
    """The picture as it emerges, a grey WebP, where it has changed and was asked for."""


async def follow(transport: Transport, job_id: str) -> AsyncGenerator[JobData, None]:
    """Yields the job after every event that the server sends, until it ends; a broken stream is resumed.

    Raises:
        RiffusionError: the server no longer has the job, or has been unavailable for longer than `retry_for_s`.
    """
    last_id: str | None = None
    retries: Retries | None = None
    while True:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        try:
            async with (
                transport.stream("GET", f"jobs/{job_id}/events", headers=headers, wait_s=SILENT_S) as response,
                aclosing(transport.wire.chunks(response)) as chunks,
            ):
                parser = _Parser()
                async for chunk in chunks:
                    for event_id, text in parser.feed(chunk):
                        data = _job(text, str(response.url))
                        last_id, retries = event_id, None
                        yield data
                        if data.ended:
                            return
            if last_id is None:  # the server begins with an event: something between it and here keeps them
                raise NoResponse(f"The stream of job {job_id} has no events; wait for the job instead.", 0)
        except UnavailableError as error:
            retries = retries or transport.retries()
            await retries.pause(error)
        else:
            await transport.wire.sleep(PAUSE_S)


def _job(text: str, source: str) -> JobData:
    try:
        return JobData.model_validate_json(text)
    except ValidationError as error:
        raise unreadable(source, error) from None


class _Parser:
    """The stream's events as (id, data): the part of the HTML standard, 9.2.6, that the server uses.

    An event that is cut short has no empty line at its end, and is left out.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._id: str | None = None
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[tuple[str | None, str]]:
        """The events that end in this chunk."""
        # Only at these: str.splitlines would also cut at what a prompt may contain, such as U+2028.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            name, _, value = line.removesuffix(b"\r").decode(errors="replace").partition(":")
            value = value.removeprefix(" ")
            if name == "id" and value:
                self._id = value
            elif name == "data":
                self._data.append(value)
            elif not name and not value and self._data:
                yield self._id, "\n".join(self._data)
                self._data = []
