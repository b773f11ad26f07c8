"""A batch of the client: its state, its end, its results one by one."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from riffusion.client.batch_results import read_results
from riffusion.client.calls import Asynchronous, Blocking, call, stream
from riffusion.client.job import AsyncJob, Job, JobCalls
from riffusion.client.models import BatchData, BatchResultData, BatchResultStatus, BatchStatus
from riffusion.client.problems import job_error
from riffusion.client.watched import Watched
from riffusion.errors import Canceled, RiffusionError

_B = TypeVar("_B", bound="BatchCalls[Any, Any]")
_J = TypeVar("_J", bound=JobCalls[Any, Any])


@dataclass(frozen=True)
class BatchResult(Generic[_J]):
    """What has become of one request of a batch, as of the moment in which the server sent it."""

    data: BatchResultData
    """The line as it came in."""
    job: _J | None
    """Its job, once it has become one and until that expires or is deleted."""

    @property
    def line(self) -> int:
        """The request's number in the batch, from 1."""
        return self.data.line

    @property
    def id(self) -> str | None:
        """That the request was sent with."""
        return self.data.id

    @property
    def status(self) -> BatchResultStatus:
        """`held` while it waits in the batch, then that of its job."""
        return self.data.status

    @property
    def error(self) -> RiffusionError | None:
        """Why there is no clip, or none any more; None while it hasn't ended and if there is one."""
        if self.status == "canceled":
            return Canceled(f"Line {self.line} of the batch was canceled.")
        return job_error(self.data.error) if self.data.error else None


class BatchCalls(Watched[BatchData], Generic[_B, _J]):
    """What `Batch` and `AsyncBatch` have in common."""

    _noun, _folder, _model = "Batch", "batches", BatchData
    _job: type[_J]

    @property
    def id(self) -> str:
        """Its id, by which `Client.batch` finds it again."""
        return self.data.id

    @property
    def status(self) -> BatchStatus:
        """`running` until all of its requests have ended; then `completed`, also if some failed, or `canceled`."""
        return self.data.status

    @call
    async def wait(self, progress: "Callable[[_B], None] | None" = None, timeout_s: float | None = None) -> _B:
        """Waits until all requests have ended, however they did, and returns the batch.

        Args:
            progress: called with this batch after every change.

        Raises:
            NotFound, Gone: the server no longer has the batch.
            TimeoutError: the batch hasn't ended after `timeout_s`. It keeps running.
        """
        await self._until_ended(progress, timeout_s)
        return self._itself

    @stream
    async def results(self) -> AsyncGenerator[BatchResult[_J], None]:
        """What has become of each request, in their order, read one at a time; also before the batch has ended.

        A response that breaks off is resumed where it was.

        Raises:
            NotFound, Gone: the server no longer has the batch.
            UnavailableError: the server has been unavailable for longer than the client's `retry_for_s`.
        """
        async with aclosing(read_results(self._transport, f"{self._path}/results", self.data.total)) as lines:
            async for data in lines:
                yield BatchResult(data, self._job(self._transport, data.job) if data.job else None)

    @call
    async def cancel(self) -> _B:
        """Ends all requests that haven't ended; repeating it changes nothing."""
        self._state = await self._transport.fetch(BatchData, "POST", f"{self._path}/cancel"), None
        return self._itself

    @call
    async def delete(self) -> None:
        """Cancels what hasn't ended, and deletes the batch with all of its jobs and their files.

        Raises:
            NotFound, Gone: the server no longer has the batch.
        """
        await self._transport.request("DELETE", self._path)

    @property
    def _itself(self) -> _B:
        return cast("_B", self)  # every class names itself


class Batch(BatchCalls["Batch", Job], Blocking):
    """A batch on a server, of a `Client`."""

    _job = Job


class AsyncBatch(BatchCalls["AsyncBatch", AsyncJob], Asynchronous):
    """A batch on a server, of an `AsyncClient`."""

    _job = AsyncJob
