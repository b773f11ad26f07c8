"""The API, asked from an event loop."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from riffusion.client import Client

THREADS = 32
PATIENCE_S = 10.0  # somebody is looking at the message meanwhile

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Server:
    """`riffusion.client` in threads of its own: a server that lets callers wait must hold up nothing else here."""

    def __init__(self, url: str, key: str | None) -> None:
        self._client = Client(url, key, patience_s=PATIENCE_S)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="server")

    def client(self, user: int) -> Client:
        """The API on behalf of a Discord user, so that limits and fairness are per person."""
        return self._client.for_end_user(f"discord:{user}")

    async def call(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Calls a method of the client or of one of its jobs, in a thread."""
        work = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Closes connections; calls on their way fail, and are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()
