"""The clients: run, submit, find, list, upload, delete uploads; batches are beside this."""

import contextlib
import copy
import uuid
from collections.abc import AsyncGenerator, Iterable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack

from riffusion.client.batch import AsyncBatch, Batch, BatchCalls
from riffusion.client.batches import BatchesCalls
from riffusion.client.calls import Asynchronous, Blocking, call, stream
from riffusion.client.inputs import (
    Fields,
    FileInput,
    RequestInput,
    checked_id,
    file_part,
    request_bodies,
    request_body,
)
from riffusion.client.job import CANCEL_S, AsyncJob, Job, JobCalls
from riffusion.client.models import (
    JobData,
    JobList,
    JobPage,
    JobStatus,
    ModelEntry,
    ModelList,
    SeedList,
    SeedPicture,
    UploadedFile,
    UploadPage,
)
from riffusion.client.transport import Transport
from riffusion.client.wire import AsyncWire, BlockingWire, Wire
from riffusion.errors import RiffusionError
from riffusion.requests import Upload

_J = TypeVar("_J", bound=JobCalls[Any, Any])
_B = TypeVar("_B", bound=BatchCalls[Any, Any])
_Page = TypeVar("_Page", JobPage, UploadPage)
_Accepted = TypeVar("_Accepted", JobData, JobList)


class ClientCalls(BatchesCalls[_B], Generic[_J, _B]):
    """What `Client` and `AsyncClient` have in common."""

    _job: type[_J]
    _wire: type[Wire]

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        secret: str | None = None,
        timeout_s: float = 30,
        retry_for_s: float = 60,
    ) -> None:
        """A client of one server.

        Passing failures (no connection, 429, 503) are retried for `retry_for_s`, no sooner than the server asks for; a
        submission sent twice makes one job. Errors are those of `riffusion.errors`, by the code that the server sent.

        Args:
            url: the server's address, such as `http://127.0.0.1:8000`.
            key: an API key, where the server requires one.
            secret: at least 128 random bits, in 22 to 128 letters, digits, - and _: without a key, `jobs` lists what
                was submitted with the same secret.
            timeout_s: seconds that a response may take.
            retry_for_s: seconds for which one call is retried.

        Raises:
            SetupError: the address doesn't begin with http:// or https://.
        """
        self._transport = Transport.to(url, key, secret, self._wire(), timeout_s=timeout_s, retry_for_s=retry_for_s)

    def for_end_user(self, end_user: str) -> Self:
        """The same client on behalf of one of the people whom a program with one key serves, a bot for instance.

        Limits and fair queueing then apply to that person, if the key is one for end users. The connections are
        shared: closing one of the two clients closes both.

        Args:
            end_user: 1 to 128 visible ASCII characters that always mean the same person: an id, such as
                `discord:80351110224678912`, rather than a name, which may have other letters.
        """
        return self._with(self._transport.for_end_user(end_user))

    def with_options(self, *, timeout_s: float | None = None, retry_for_s: float | None = None) -> Self:
        """The same client with other limits, for one call or more: `client.with_options(timeout_s=2).models()`.

        They hold for its jobs as well. The connections are shared: closing one of the two clients closes both.
        """
        return self._with(self._transport.with_options(timeout_s, retry_for_s))

    @call
    async def close(self) -> None:
        """Closes the client's connections."""
        await self._transport.wire.close()

    @call
    async def run(
        self, request: RequestInput | None = None, /, *, timeout_s: float | None = None, **fields: Unpack[Fields]
    ) -> _J:
        """Makes a clip: submits a job and waits until it has succeeded.

            client.run("church bells").save("bells.mp3")

        Whatever interrupts it, be it an error, Ctrl-C or the cancellation of its task, also cancels the job.

        Args:
            request: see `submit`.
            timeout_s: seconds after which the job is canceled.
            fields: see `submit`.

        Raises:
            RequestError, UnavailableError: see `submit`.
            JobError: the job failed or was canceled; the class says why.
            TimeoutError: the job hasn't ended after `timeout_s`.
        """
        job = await self._submit_to_run(request_body(request, fields))
        await job._run(timeout_s)
        return job

    @call
    async def submit(
        self, request: RequestInput | None = None, /, *, idempotency_key: str | None = None, **fields: Unpack[Fields]
    ) -> _J:
        """Queues a job.

        Args:
            request: a prompt, a request's model, or its JSON; of mode `text-to-audio` where nothing names one.
            idempotency_key: 1 to 255 visible ASCII characters; the same key with the same request is the same job for
                24 hours, also after a restart of this program. Left out, each call makes a new job.
            fields: fields of the request, instead of those that it has.

        Raises:
            RequestError: the server refuses the request; InvalidRequest names the fields.
            UnavailableError: it can't take jobs now; QueueFull, StoreUnavailable.
        """
        return await self._submit(request_body(request, fields), idempotency_key)

    @call
    async def submit_many(self, requests: Iterable[RequestInput], *, idempotency_key: str | None = None) -> list[_J]:
        """Queues up to 16 jobs, all of them or none.

        Raises:
            RequestError, UnavailableError: as `submit`.
            TypeError: `requests` is a single request.
        """
        body = request_bodies(requests)
        return [self._made(data) for data in (await self._post_jobs(JobList, body, idempotency_key)).jobs]

    @call
    async def job(self, job_id: str) -> _J:
        """A job submitted before.

        Raises:
            NotFound, Gone: the server has no such job, or no longer has it.
        """
        return self._made(await self._transport.fetch(JobData, "GET", f"jobs/{checked_id(job_id)}"))

    @stream
    async def jobs(self, status: JobStatus | None = None) -> AsyncGenerator[_J, None]:
        """The caller's jobs, newest first, fetched page by page.

        Raises:
            Unauthorized: the client has neither a key nor a secret.
        """
        cursor = None
        while True:
            page = await self._page(JobPage, "jobs", status=status, cursor=cursor)
            for data in page.jobs:
                yield self._made(data)
            if (cursor := page.next_cursor) is None:
                return

    @call
    async def upload(self, file: FileInput) -> Upload:
        """Sends an image or a sound, and returns the reference by which requests name it.

        Args:
            file: its path, its content, a file that is open for reading, or a sound as a `pydub.AudioSegment`.

        Raises:
            UnreadableMedia: the server can't read the file, or it exceeds the limits.
        """
        stored = await self._transport.fetch(UploadedFile, "POST", "uploads", files={"file": file_part(file)})
        return Upload(upload=stored.id)

    @stream
    async def uploads(self) -> AsyncGenerator[UploadedFile, None]:
        """The caller's uploads that are still kept, newest first, fetched page by page.

        Raises:
            Unauthorized: the client has neither a key nor a secret.
        """
        cursor = None
        while True:
            page = await self._page(UploadPage, "uploads", cursor=cursor)
            for upload in page.uploads:
                yield upload
            if (cursor := page.next_cursor) is None:
                return

    @call
    async def delete_upload(self, upload: Upload | str) -> None:
        """Deletes an upload, by its reference or id. Jobs that were submitted with it are made all the same.

        Raises:
            NotFound: the server has no such upload.
        """
        upload_id = upload.upload if isinstance(upload, Upload) else upload
        await self._transport.request("DELETE", f"uploads/{checked_id(upload_id)}")

    @call
    async def seeds(self) -> list[SeedPicture]:
        """The built-in seed images."""
        return (await self._transport.fetch(SeedList, "GET", "seeds")).seeds

    @call
    async def models(self) -> list[ModelEntry]:
        """The models that have a worker now."""
        return (await self._transport.fetch(ModelList, "GET", "models")).models

    def _with(self, transport: Transport) -> Self:
        other = copy.copy(self)
        other._transport = transport
        return other

    def _made(self, data: JobData) -> _J:
        return self._job(self._transport, data)

    async def _page(self, kind: type[_Page], path: str, **params: str | None) -> _Page:
        given = {name: value for name, value in params.items() if value is not None}
        return await self._transport.fetch(kind, "GET", path, params=given)

    async def _submit(self, body: dict[str, Any], idempotency_key: str | None) -> _J:
        return self._made(await self._post_jobs(JobData, body, idempotency_key))

    async def _submit_to_run(self, body: dict[str, Any]) -> _J:
        """Submits a job; where that is interrupted, cancels it, since the server may have it already."""
        key = str(uuid.uuid4())
        try:
            return await self._submit(body, key)
        except (Exception, GeneratorExit):  # it was refused, or its event loop is gone
            raise
        except BaseException:
            await self._transport.wire.finish(self._abandon(body, key))
            raise

    async def _abandon(self, body: dict[str, Any], key: str) -> None:
        hurried = self._with(self._transport.with_options(CANCEL_S, 0))
        with contextlib.suppress(RiffusionError):  # what has interrupted it says more
            job = await hurried._submit(body, key)
            await job._abandon()

    async def _post_jobs(self, kind: type[_Accepted], body: object, idempotency_key: str | None) -> _Accepted:
        # One key for all attempts: a lost response must not lead to a second job.
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return await self._transport.fetch(kind, "POST", "jobs", json=body, headers=headers)


class Client(ClientCalls[Job, Batch], Blocking):
    """A client of one server, for any number of threads: its calls block and return results."""

    _job, _batch, _wire = Job, Batch, BlockingWire

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(ClientCalls[AsyncJob, AsyncBatch], Asynchronous):
    """A client of one server, for asyncio: its calls are awaited."""

    _job, _batch, _wire = AsyncJob, AsyncBatch, AsyncWire

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()
