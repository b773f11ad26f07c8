"""What changes on a server until it ends: its latest known state, and how a client learns of the next one."""

import math
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, Generic, TypeVar

from riffusion.client.calls import call
from riffusion.client.models import BatchData, JobData
from riffusion.client.transport import Transport, parsed
from riffusion.errors import UnavailableError

HOLD_S = 20  # for which the server may hold a poll until something changes
PAUSE_S = 1.0  # between polls that the server doesn't hold

_D = TypeVar("_D", JobData, BatchData)


class Watched(Generic[_D]):
    """Something that a server describes at an address of its own."""

    _noun: ClassVar[str]
    _folder: ClassVar[str]
    """Of its address, such as `jobs`."""
    _model: type[_D]

    def __init__(self, transport: Transport, data: _D) -> None:
        self._transport = transport
        self._state: tuple[_D, str | None] = data, None  # with its entity tag, in one step for all threads

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.data.id} {self.data.status}>"

    @property
    def data(self) -> _D:
        """Its latest known state, as of the latest call that fetched it."""
        return self._state[0]

    @property
    def ended(self) -> bool:
        """Whether it has reached a terminal state."""
        return self.data.ended

    @call
    async def refresh(self, hold_s: int = 0) -> bool:
        """Fetches its state again.

        Args:
            hold_s: seconds for which the server may wait for a change before it responds.

        Returns:
            Whether anything changed.

        Raises:
            NotFound, Gone: the server no longer has it.
        """
        return await self._refresh(hold_s)

    @property
    def _path(self) -> str:
        return f"{self._folder}/{self.data.id}"

    async def _refresh(self, hold_s: int = 0, within_s: float = math.inf) -> bool:
        options = self._transport
        if within_s < math.inf:  # a second more, so that the last attempt is one
            options = options.with_options(min(options.timeout_s, within_s + 1), min(options.retry_for_s, within_s))
        tag = self._state[1]
        headers = {"If-None-Match": tag} if tag else {}
        if hold_s:
            headers["Prefer"] = f"wait={hold_s}"
        response = await options.request("GET", self._path, headers=headers, wait_s=hold_s)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            return False
        self._state = parsed(self._model, response), response.headers.get("ETag")
        return True

    async def _until_ended(self, progress: Callable[[Any], None] | None, timeout_s: float | None) -> None:
        """Waits for the end; `progress` is called with this object after every change.

        Raises:
            TimeoutError: it hasn't ended after `timeout_s`.
        """
        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while not self.ended:
            asked = time.monotonic()
            left = max(0.0, deadline - asked)
            late = TimeoutError(f"{self._noun} {self.data.id} is still {self.data.status} after {timeout_s} s.")
            try:
                changed = await self._refresh(int(min(HOLD_S, left)), left)
            except UnavailableError as error:
                raise (late if left < self._transport.retry_for_s else error) from error
            if changed and progress is not None:
                progress(self)
            if not self.ended and time.monotonic() >= deadline:
                raise late
            if not changed and time.monotonic() - asked < PAUSE_S:  # a busy server doesn't hold requests
                await self._transport.wire.sleep(min(PAUSE_S, max(0.0, deadline - time.monotonic())))
