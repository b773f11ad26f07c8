"""The lines of a batch's results, read as they arrive."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import ValidationError

from riffusion.client.models import BatchResultData
from riffusion.client.transport import NoResponse, Retries, Transport, unreadable
from riffusion.errors import UnavailableError


async def read_results(transport: Transport, path: str, total: int) -> AsyncGenerator[BatchResultData, None]:
    """Yields `total` results, one after the other.

    The server sends them all each time: after one that broke off, those that were yielded before are read over.

    Raises:
        RiffusionError: the server no longer has the batch, or has been unavailable for longer than `retry_for_s`.
    """
    seen = 0
    retries: Retries | None = None
    while seen < total:
        try:
            number = 0
            async with (
                transport.stream("GET", path) as response,
                aclosing(transport.wire.chunks(response)) as chunks,
                aclosing(_lines(chunks)) as lines,
            ):
                async for line in lines:
                    number += 1
                    if number > seen:
                        seen, retries = number, None
                        yield _parsed(line, str(response.url))
            if seen < total:  # some proxies end a body that broke off as if it were whole
                raise NoResponse(f"{response.url} ended after {number} of {total} lines.", 0)
        except UnavailableError as error:
            if seen >= total:  # it broke off behind the last line
                return
            retries = retries or transport.retries()
            await retries.pause(error)


async def _lines(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Whole lines; one that is cut short has no end, and is left out."""
    rest: list[bytes] = []
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")  # only at these: prompts may contain U+2028
        rest.append(first)
        for other in others:
            yield b"".join(rest)
            rest = [other]


def _parsed(line: bytes, source: str) -> BatchResultData:
    try:
        return BatchResultData.model_validate_json(line)
    except ValidationError as error:
        raise unreadable(source, error) from None
