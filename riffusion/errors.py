"""Every error that this project raises on purpose, under one root.

    RiffusionError                    internal
    ├── RequestError                  what the caller sent can't be served
    │   ├── InvalidRequest            invalid_request      fields of the request, each named
    │   ├── UnknownReference          unknown_reference    a seed image, upload, job, model or LoRA that isn't there
    │   ├── UnreadableMedia           unreadable_media     not a picture, not audio, damaged, or over the media limits
    │   ├── Unauthorized              unauthorized         no API key where one is needed, or one that isn't known
    │   ├── NotFound                  not_found            no such job, file or page for this caller
    │   ├── Gone                      gone                 existed once; its record has expired or was deleted
    │   └── IdempotencyConflict       idempotency_conflict the same Idempotency-Key with another body
    ├── JobError                      why a job ended without a result
    │   ├── DeadlineExceeded          deadline_exceeded
    │   ├── WorkerLost                worker_lost          its worker died, as often as attempts allow
    │   ├── Canceled                  canceled
    │   ├── LeaseLost                 lease_lost           another attempt owns the job now; this one's work is dropped
    │   ├── OutOfMemory               out_of_memory
    │   └── BrokenPicture             broken_picture       the model produced numbers that are not finite
    ├── UnavailableError              try again later
    │   ├── QueueFull                 queue_full
    │   ├── TooManyRequests           too_many_requests    this client's own limit, not the server's
    │   ├── Overloaded                overloaded           more requests than this process can serve in time
    │   ├── StoreUnavailable          store_unavailable    Redis doesn't answer
    │   └── StorageUnavailable        storage_unavailable  S3 or the data folder refuses
    │       └── StorageFull           storage_full         there is no room left; trying again soon won't help
    └── SetupError                    the operator has to act
        ├── CheckpointUnavailable     checkpoint_unavailable
        └── ToolMissing               tool_missing         a program that this command needs isn't installed

`code` is stable: clients may branch on it. `str(error)` is for people and says what to do; it never holds a path of the
server or a stack trace, because it is shown to callers.
"""

from typing import ClassVar, TypedDict


class FieldError(TypedDict):
    """One field of a request that can't be accepted."""

    field: str  # dotted path, e.g. "start.prompt" or "mask.seconds.0"; "" is the whole body
    message: str


class RiffusionError(Exception):
    """Root of the tree."""

    code: ClassVar[str] = "internal"


class RequestError(RiffusionError):
    """What the caller sent can't be served; sending it again changes nothing."""

    code = "bad_request"


class InvalidRequest(RequestError):
    """One or more fields are missing, unknown or out of range."""

    code = "invalid_request"

    def __init__(self, fields: list[FieldError]) -> None:
        self.fields = fields
        super().__init__("; ".join(f"{f['field'] or 'body'}: {f['message']}" for f in fields))


class UnknownReference(RequestError):
    """A request names something that isn't there, or isn't the caller's.

    `field` is the dotted path in the request that names it.
    """

    code = "unknown_reference"

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class UnreadableMedia(RequestError):
    """A picture or sound that can't be decoded, or exceeds the limits on pixels, channels or duration."""

    code = "unreadable_media"


class Unauthorized(RequestError):
    """The request bears no API key where one is needed, or one that is unknown or revoked."""

    code = "unauthorized"


class NotFound(RequestError):
    """Nothing of this name for this caller."""

    code = "not_found"


class Gone(RequestError):
    """It existed once; its record has expired or was deleted."""

    code = "gone"


class IdempotencyConflict(RequestError):
    """An Idempotency-Key was used again with another body."""

    code = "idempotency_conflict"


class JobError(RiffusionError):
    """Why a job ended without a result."""

    code = "job_failed"


class DeadlineExceeded(JobError):
    """The job waited or ran longer than its deadline allows."""

    code = "deadline_exceeded"


class WorkerLost(JobError):
    """Workers died under the job as often as attempts allow."""

    code = "worker_lost"


class Canceled(JobError):
    """The job was canceled while it ran."""

    code = "canceled"


class LeaseLost(JobError):
    """Another attempt owns the job now; this attempt's work is dropped."""

    code = "lease_lost"


class OutOfMemory(JobError):
    """The job doesn't fit into the worker's memory even alone."""

    code = "out_of_memory"


class BrokenPicture(JobError):
    """The model produced numbers that are not finite."""

    code = "broken_picture"


class UnavailableError(RiffusionError):
    """Something this depends on can't serve now. `retry_after` is in seconds."""

    code = "unavailable"
    retry_after: float = 2.0

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(message)


class QueueFull(UnavailableError):
    """The backlog is at its cap."""

    code = "queue_full"


class TooManyRequests(UnavailableError):
    """The client has reached a limit of its own: on what it creates, or on its jobs in flight."""

    code = "too_many_requests"


class Overloaded(UnavailableError):
    """More requests come in than this process can serve in time."""

    code = "overloaded"


class StoreUnavailable(UnavailableError):
    """Redis doesn't answer, or refuses to write."""

    code = "store_unavailable"


class StorageUnavailable(UnavailableError):
    """The object storage, or the data folder, refuses or doesn't answer."""

    code = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """There is no room left; somebody has to make some."""

    code = "storage_full"


class SetupError(RiffusionError):
    """The operator has to act; no request can change it."""

    code = "setup"


class CheckpointUnavailable(SetupError):
    """A model, by folder or hub id, can't be had; the message names it."""

    code = "checkpoint_unavailable"


class ToolMissing(SetupError):
    """A program that this command needs isn't installed; the message says which package has it."""

    code = "tool_missing"
