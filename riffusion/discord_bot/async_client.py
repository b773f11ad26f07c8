"""The API's client for use from an event loop."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from riffusion.client import Client

THREADS = 32
RETRY_FOR_S = 10.0  # no longer: a person is waiting for the reply

_P = ParamSpec("_P")
_T = TypeVar("_T")


class AsyncClient:
    """Runs the calls of `riffusion.client` in threads of its own, so that no slow response blocks the event loop."""

    def __init__(self, url: str, key: str | None) -> None:
        self._client = Client(url, key, retry_for_s=RETRY_FOR_S)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="api-client")

    def for_user(self, user: int) -> Client:
        """The client on behalf of a Discord user, so that limits and fairness are per person."""
        return self._client.for_end_user(f"discord:{user}")

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Calls a method of a client or of one of its jobs in a thread, and returns its result."""
        work = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Closes the connections; calls in progress fail, and are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
