"""The clients' calls for batches: submit, find, list."""

import uuid
from collections.abc import AsyncGenerator
from typing import Any, Generic, TypeVar

from riffusion.client.batch import BatchCalls
from riffusion.client.calls import call, stream
from riffusion.client.inputs import BatchInput, batch_lines, checked_id
from riffusion.client.models import BatchData, BatchList
from riffusion.client.transport import Transport

LINES_PER_S = 100  # that even a busy server checks

_B = TypeVar("_B", bound=BatchCalls[Any, Any])


class BatchesCalls(Generic[_B]):
    """Part of what `Client` and `AsyncClient` have in common."""

    _batch: type[_B]
    _transport: Transport

    @call
    async def submit_batch(self, requests: BatchInput, *, idempotency_key: str | None = None) -> _B:
        """Hands over up to 10,000 requests, all of them or none; they become jobs as the server's queue has places.

        Args:
            requests: models, JSON or prompts, as `submit` takes them, where JSON may have an `id` of one's own; or JSON
                lines: a path, a file's content, or a file that is open for reading. All are for one model.
            idempotency_key: as of `submit`.

        Raises:
            Unauthorized: the client has no key.
            RequestError: the server refuses a request; InvalidRequest names the fields, such as `lines.17.prompt`.
            UnavailableError: it can't take them now.
            TypeError: `requests` is a single request.
        """
        lines = batch_lines(requests)
        headers = {"Content-Type": "application/jsonl", "Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        wait_s = lines.count(b"\n") / LINES_PER_S
        return self._made_batch(
            await self._transport.fetch(BatchData, "POST", "batches", content=lines, headers=headers, wait_s=wait_s)
        )

    @call
    async def batch(self, batch_id: str) -> _B:
        """A batch submitted before.

        Raises:
            Unauthorized: the client has no key.
            NotFound, Gone: the server has no such batch, or no longer has it.
        """
        return self._made_batch(await self._transport.fetch(BatchData, "GET", f"batches/{checked_id(batch_id)}"))

    @stream
    async def batches(self) -> AsyncGenerator[_B, None]:
        """The caller's batches that are still kept, newest first.

        Raises:
            Unauthorized: the client has no key.
        """
        for data in (await self._transport.fetch(BatchList, "GET", "batches")).batches:
            yield self._made_batch(data)

    def _made_batch(self, data: BatchData) -> _B:
        return self._batch(self._transport, data)
