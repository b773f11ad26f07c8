"""What differs between the two kinds of clients: how they send, read, and pause."""

import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import httpx

if TYPE_CHECKING:
    import asyncio

# As many connections as calls: a held poll never keeps another call waiting.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


class Wire(Protocol):
    """HTTP without policy. Errors are httpx's."""

    def stream(self, method: str, url: httpx.URL, **options: Any) -> AbstractAsyncContextManager[httpx.Response]:
        """One request, with a response whose body isn't read yet."""

    async def read(self, response: httpx.Response) -> None:
        """Reads a response's body, after which its `content` is there."""

    def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """A body's parts, as they arrive."""

    async def sleep(self, seconds: float) -> None:
        """Pauses."""

    async def finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something to its end, also where the caller's task is being canceled."""

    async def close(self) -> None:
        """Closes the connections."""


class BlockingWire:
    """Blocks the calling thread. Safe for several threads."""

    def __init__(self) -> None:
        self._http = httpx.Client(limits=LIMITS)

    @asynccontextmanager
    async def stream(self, method: str, url: httpx.URL, **options: Any) -> AsyncGenerator[httpx.Response, None]:
        """See `Wire`."""
        with self._http.stream(method, url, **options) as response:
            yield response

    async def read(self, response: httpx.Response) -> None:
        """See `Wire`."""
        response.read()

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """See `Wire`."""
        for chunk in response.iter_bytes():
            yield chunk

    async def sleep(self, seconds: float) -> None:
        """See `Wire`."""
        time.sleep(seconds)

    async def finish(self, work: Coroutine[Any, Any, None]) -> None:
        """See `Wire`."""
        await work

    async def close(self) -> None:
        """See `Wire`."""
        self._http.close()


class AsyncWire:
    """Suspends the calling task. Each event loop has connections of its own, which can't be used from another one."""

    def __init__(self) -> None:
        self._pools: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}
        self._finishing: set[asyncio.Task[None]] = set()

    def _pool(self) -> httpx.AsyncClient:
        import asyncio

        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            for other in [each for each in list(self._pools) if each.is_closed()]:
                self._pools.pop(other, None)
            self._pools[loop] = httpx.AsyncClient(limits=LIMITS)
        return self._pools[loop]

    @asynccontextmanager
    async def stream(self, method: str, url: httpx.URL, **options: Any) -> AsyncGenerator[httpx.Response, None]:
        """See `Wire`."""
        async with self._pool().stream(method, url, **options) as response:
            yield response

    async def read(self, response: httpx.Response) -> None:
        """See `Wire`."""
        await response.aread()

    async def chunks(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """See `Wire`."""
        async for chunk in response.aiter_bytes():
            yield chunk

    async def sleep(self, seconds: float) -> None:
        """See `Wire`."""
        import asyncio

        await asyncio.sleep(seconds)

    async def finish(self, work: Coroutine[Any, Any, None]) -> None:
        """See `Wire`."""
        import asyncio

        task = asyncio.create_task(work)
        self._finishing.add(task)  # the event loop itself keeps no reference
        task.add_done_callback(self._finishing.discard)
        await asyncio.shield(task)

    async def close(self) -> None:
        """Closes those of this event loop, and forgets the others."""
        pool = self._pool()
        self._pools.clear()
        await pool.aclose()
