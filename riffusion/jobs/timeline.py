"""What happened to a job and when, from its record."""

from collections.abc import Iterator
from dataclasses import dataclass

from riffusion.jobs.record import JobRecord, JobStatus, WebhookState


@dataclass(frozen=True)
class Step:
    """One event of a job."""

    at: float
    """Unix seconds."""
    event: str
    """`accepted`, `started`, `attempt ended`, `requeued`, `succeeded`, `failed`, `canceled`, `webhook`, `expires`."""
    detail: str


def timeline(record: JobRecord, result_ttl_s: float) -> list[Step]:
    """The job's events in their order, the future ones included.

    Args:
        result_ttl_s: seconds for which an ended job is kept.
    """
    return [*_attempts(record), *_latest(record, result_ttl_s)]


def _attempts(record: JobRecord) -> Iterator[Step]:
    yield Step(record.created_at, "accepted", f"from {record.tenant}")
    for past in record.past_attempts:
        if past.started_at is not None:
            yield Step(past.started_at, "started", f"on {past.worker}")
        progress = f" at step {past.step} of {past.total}" if past.total else ""
        yield Step(past.ended_at, "failed" if past.requeued_at else "attempt ended", f"{past.reason}{progress}")
        if past.requeued_at is not None:
            yield Step(past.requeued_at, "requeued", "by an operator")


def _latest(record: JobRecord, result_ttl_s: float) -> Iterator[Step]:
    if record.started_at is not None:
        progress = f", at step {record.step} of {record.total}" if record.total else ""
        where = f"on {record.worker}{progress if record.status is JobStatus.RUNNING else ''}"
        yield Step(record.started_at, "started", where)
    if record.completed_at is None:
        return
    yield Step(record.completed_at, str(record.status), _end(record))
    webhook = record.webhook
    if webhook is not None and webhook.state is WebhookState.PENDING and webhook.next_at is not None:
        yield Step(webhook.next_at, "webhook", f"next try, after {webhook.attempts}")
    yield Step(record.completed_at + result_ttl_s, "expires", "with its files")


def _end(record: JobRecord) -> str:
    if record.error is not None:
        return f"{record.error.code}: {record.error.detail}"
    if record.result is not None:
        image, audio = record.result.image, record.result.audio
        return f"{image.key} ({image.bytes} bytes), {audio.key} ({audio.bytes} bytes)"
    return "on request"
