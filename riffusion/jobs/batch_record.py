"""What a batch is: many requests of one client, which become jobs as the queue has places."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from riffusion.jobs.acceptance import Place
from riffusion.jobs.record import Failure, JobRecord, JobStatus


class BatchStatus(StrEnum):
    """Where a batch is between its acceptance and its end."""

    RUNNING = "running"
    """Some of its requests haven't ended."""
    COMPLETED = "completed"
    """All have."""
    CANCELED = "canceled"
    """All have, those that hadn't before because it was canceled."""


@dataclass(frozen=True)
class BatchCounts:
    """How many of a batch's requests are in each state."""

    held: int
    """In the batch: not jobs yet."""
    queued: int
    running: int
    succeeded: int
    failed: int
    canceled: int


@dataclass(frozen=True)
class BatchRecord:
    """One batch as Redis has it. Times are Unix seconds on Redis's clock."""

    id: str
    tenant: str
    model: str
    """Of all of its requests."""
    total: int
    """Requests."""
    counts: BatchCounts
    created_at: float
    completed_at: float | None
    """When the last of its requests ended."""
    canceled_at: float | None
    revision: int
    """Rises with every change but a claim."""
    rest_error: Failure | None
    """Why those of its requests failed that never became jobs."""

    @property
    def status(self) -> BatchStatus:
        """Where it is."""
        if self.completed_at is None:
            return BatchStatus.RUNNING
        return BatchStatus.COMPLETED if self.canceled_at is None else BatchStatus.CANCELED

    @classmethod
    def decode(cls, data: Mapping[bytes, bytes], queued: int = 0, running: int = 0) -> "BatchRecord":
        """The record from its hash in Redis, and how many of its jobs wait and run."""
        text = {key.decode(): value.decode() for key, value in data.items()}
        ended = {status: int(text[status]) for status in ("succeeded", "failed", "canceled")}
        total, rest = int(text["total"]), int(text["total"]) - int(text["fed"])
        error = json.loads(text["rest_error"]) if text.get("rest_error") else None
        return cls(
            id=text["id"],
            tenant=text["client"],
            model=text["model"],
            total=total,
            counts=BatchCounts(0 if "rest" in text else rest, queued, running, **ended),
            created_at=float(text["created_at"]),
            completed_at=float(text["completed_at"]) if "completed_at" in text else None,
            canceled_at=float(text["canceled_at"]) if "canceled_at" in text else None,
            revision=int(text["revision"]),
            rest_error=Failure(error["code"], error["detail"]) if error else None,
        )


@dataclass(frozen=True)
class BatchItem:
    """One request of a batch."""

    index: int
    """In the batch; 0 is the first."""
    own_id: str | None
    """That its client gave it."""
    status: JobStatus | None
    """None: it is held in the batch."""
    job_id: str | None
    """Of the job that it has become."""
    record: JobRecord | None
    """The job; None where it never became one, or was deleted or has expired."""
    place: Place | None
    """Of the job while it waits."""
    error: Failure | None
    """Why it failed without having become a job."""
