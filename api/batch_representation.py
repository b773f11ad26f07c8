"""A batch as clients see it: its JSON, its entity tag, the lines of its results."""

from dataclasses import asdict, astuple

from api.batch_schemas import Batch, BatchLinks, BatchNumbers, BatchResult
from api.held_requests import Snapshot
from api.representation import Presenter, optional_utc, present_failure, utc
from api.schemas import JobFailure
from riffusion.errors import Gone
from riffusion.jobs.batch_record import BatchItem, BatchRecord
from riffusion.jobs.record import JobStatus


def present_batch(record: BatchRecord, presenter: Presenter, kept_s: float) -> Batch:
    """A batch; one whose requests have all ended is kept for `kept_s` seconds."""
    here = presenter.address(f"/batches/{record.id}")
    return Batch(
        id=record.id,
        status=record.status,
        model=record.model,
        total=record.total,
        counts=BatchNumbers(**asdict(record.counts)),
        created_at=utc(record.created_at),
        canceled_at=optional_utc(record.canceled_at),
        completed_at=optional_utc(record.completed_at),
        expires_at=utc(record.completed_at + kept_s) if record.completed_at is not None else None,
        links=BatchLinks(self=here, results=f"{here}/results", cancel=f"{here}/cancel"),
    )


def batch_tag(record: BatchRecord) -> str:
    """Its entity tag without the quotes: that of its numbers."""
    return "-".join(map(str, (*astuple(record.counts), record.status)))


def present_result(item: BatchItem, presenter: Presenter) -> BatchResult:
    """A line of the results."""
    record = item.record
    return BatchResult(
        line=item.index + 1,
        id=item.own_id,
        status=item.status.value if item.status else "held",
        job_id=item.job_id,
        job=presenter.job(Snapshot(record, item.place)) if record else None,
        error=_failure(item),
    )


def _failure(item: BatchItem) -> JobFailure | None:
    if item.record:
        return present_failure(item.record)
    if item.job_id and item.status is not JobStatus.CANCELED:
        return JobFailure(code=Gone.code, detail="Its job has expired or was deleted.")
    return JobFailure(code=item.error.code, detail=item.error.detail) if item.error else None
