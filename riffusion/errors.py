"""Every error that this project raises deliberately, under one root.

    RiffusionError                    internal
    ├── RequestError                  the request can't be served
    │   ├── InvalidRequest            invalid_request      fields of the request, each named
    │   ├── UnknownReference          unknown_reference    no such seed image, upload, job, model or LoRA
    │   ├── UnreadableMedia           unreadable_media     not a picture, not audio, damaged, or over the media limits
    │   ├── Unauthorized              unauthorized         no API key where one is required, or an unknown one
    │   ├── InvalidSignature          invalid_signature    a webhook that the server didn't send, or not lately
    │   ├── Forbidden                 forbidden            an API key that isn't an operator's
    │   ├── NotFound                  not_found            no such job, file or page for this caller
    │   ├── Blocked                   blocked              the operator lets this client create nothing
    │   ├── Gone                      gone                 existed, but has expired or was deleted
    │   │   └── ResultLost            result_lost          the server lost its files
    │   ├── Conflict                  conflict             not in the state that it is in
    │   └── IdempotencyConflict       idempotency_conflict the same Idempotency-Key with another body
    ├── JobError                      why a job ended without a result
    │   ├── DeadlineExceeded          deadline_exceeded
    │   ├── WorkerLost                worker_lost          its worker died in every attempt allowed
    │   ├── ModelRetired              model_retired        the operator retired its model while it waited
    │   ├── Canceled                  canceled
    │   ├── LeaseLost                 lease_lost           another attempt owns the job now
    │   ├── OutOfMemory               out_of_memory
    │   ├── BrokenPicture             broken_picture       the model produced numbers that are not finite
    │   ├── BrokenSound               broken_sound         not finite, clipped, or of another length than promised
    │   └── InaudibleSound            inaudible_sound      nothing in it can be heard, though its picture isn't silent
    ├── UnavailableError              try again later
    │   ├── QueueFull                 queue_full
    │   ├── ModelDraining             model_draining       the operator lets its jobs end and takes no new ones
    │   ├── TooManyRequests           too_many_requests    this client's own limit, not the server's
    │   ├── Overloaded                overloaded           the process can't serve more requests in time
    │   ├── StoreUnavailable          store_unavailable    Redis doesn't respond
    │   └── StorageUnavailable        storage_unavailable  S3 or the data folder fails
    │       └── StorageFull           storage_full         no room left; retrying soon won't help
    └── SetupError                    the operator has to act
        ├── CheckpointUnavailable     checkpoint_unavailable
        └── ToolMissing               tool_missing         a program or package isn't installed

`code` is stable: clients may branch on it. The message is for people: full sentences that say what is wrong and, where
there is something to do, what. It never holds a path of the server or a stack trace, because callers see it. The
message of a FieldError is a predicate that follows the field's name, as in pydantic: "must be a number".
"""

from typing import ClassVar, TypedDict


class FieldError(TypedDict):
    """One field of a request that can't be accepted."""

    field: str
    """Dotted path, e.g. "start.prompt" or "mask.seconds.0"; "" is the whole body."""
    message: str
    """A predicate, e.g. "must be a number"."""


class RiffusionError(Exception):
    """Root of the tree."""

    code: ClassVar[str] = "internal"


class RequestError(RiffusionError):
    """The request can't be served; sending it again changes nothing."""

    code = "bad_request"


class InvalidRequest(RequestError):
    """One or more fields are missing, unknown or out of range."""

    code = "invalid_request"

    def __init__(self, fields: list[FieldError]) -> None:
        self.fields = fields
        super().__init__("; ".join(f"{f['field'] or 'body'}: {f['message']}" for f in fields))


class UnknownReference(RequestError):
    """A request names something that doesn't exist, or isn't the caller's.

    `field` is the dotted path of the name in the request.
    """

    code = "unknown_reference"

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class UnreadableMedia(RequestError):
    """A picture or sound that can't be decoded, or exceeds the limits on pixels, channels or duration."""

    code = "unreadable_media"


class Unauthorized(RequestError):
    """The request has no API key where one is required, or one that is unknown or revoked."""

    code = "unauthorized"


class InvalidSignature(RequestError):
    """A webhook that came in isn't signed by the server, or is old."""

    code = "invalid_signature"


class Forbidden(RequestError):
    """The request's API key is valid, but isn't an operator's."""

    code = "forbidden"


class NotFound(RequestError):
    """There is no such job, file or page for this caller."""

    code = "not_found"


class Gone(RequestError):
    """It existed, but has expired or was deleted."""

    code = "gone"


class ResultLost(Gone):
    """The job succeeded, but the server has lost what it made."""

    code = "result_lost"


class Blocked(RequestError):
    """The operator lets this client create nothing; it may still read and delete what it has."""

    code = "blocked"


class Conflict(RequestError):
    """What it asks for can't be done in the state that the job or model is in."""

    code = "conflict"


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
    """The job's worker died in every attempt allowed."""

    code = "worker_lost"


class ModelRetired(JobError):
    """The operator retired the job's model, which had no workers any more, while the job waited."""

    code = "model_retired"


class Canceled(JobError):
    """The job was canceled while it ran."""

    code = "canceled"


class LeaseLost(JobError):
    """Another attempt owns the job now; this attempt's result is discarded."""

    code = "lease_lost"


class OutOfMemory(JobError):
    """The job doesn't fit into the worker's memory, even alone."""

    code = "out_of_memory"


class BrokenPicture(JobError):
    """The model produced numbers that are not finite."""

    code = "broken_picture"


class BrokenSound(JobError):
    """The sound that was made is not finite, is clipped, or has another length than promised."""

    code = "broken_sound"


class InaudibleSound(JobError):
    """Nothing in the sound that was made can be heard, though its picture isn't silent."""

    code = "inaudible_sound"


class UnavailableError(RiffusionError):
    """The server, or something it depends on, can't serve the request now. `retry_after` is in seconds."""

    code = "unavailable"
    retry_after: float = 2.0

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(message)


class QueueFull(UnavailableError):
    """The queue has reached its limit."""

    code = "queue_full"


class ModelDraining(UnavailableError):
    """The operator lets the model's waiting jobs end, and takes no new ones."""

    code = "model_draining"
    retry_after = 60.0


class TooManyRequests(UnavailableError):
    """The client has reached one of its own limits, such as that on creates or on jobs in flight."""

    code = "too_many_requests"


class Overloaded(UnavailableError):
    """The process receives more requests than it can serve in time."""

    code = "overloaded"


class StoreUnavailable(UnavailableError):
    """Redis doesn't respond, or refuses to write."""

    code = "store_unavailable"


class StorageUnavailable(UnavailableError):
    """The object storage or the data folder fails, or doesn't respond."""

    code = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """There is no room left until something is deleted."""

    code = "storage_full"


class SetupError(RiffusionError):
    """Something is missing or set wrong that only the operator can change."""

    code = "setup"


class CheckpointUnavailable(SetupError):
    """A model, by folder or hub id, wasn't found or its download failed; the message names it."""

    code = "checkpoint_unavailable"


class ToolMissing(SetupError):
    """A program or package that this command needs isn't installed; the message says what to install."""

    code = "tool_missing"


CODES = sorted(
    each.code for each in list(globals().values()) if isinstance(each, type) and issubclass(each, RiffusionError)
)
"""Of every error above."""
