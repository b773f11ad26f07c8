"""A job as operators see it: whose it is and where it runs, but no links to what it made."""

from api.admin.schemas import OperatorJob, OperatorJobDetail, TimelineStep
from api.representation import (
    optional_utc,
    present_failure,
    present_progress,
    present_queue,
    present_webhook,
    utc,
)
from riffusion.jobs.acceptance import Place
from riffusion.jobs.record import JobRecord
from riffusion.jobs.timeline import timeline


def present_job(record: JobRecord, place: Place | None) -> OperatorJob:
    """A line of a list."""
    return OperatorJob(
        id=record.id,
        client=record.tenant,
        status=record.status,
        mode=record.mode,
        model=record.model,
        created_at=utc(record.created_at),
        started_at=optional_utc(record.started_at),
        completed_at=optional_utc(record.completed_at),
        worker=record.worker,
        progress=present_progress(record),
        queue=present_queue(place),
        attempts=record.attempts,
        requeues=record.requeues,
        error=present_failure(record),
    )


def present_detail(record: JobRecord, place: Place | None, now: float, result_ttl_s: float) -> OperatorJobDetail:
    """The whole job.

    Args:
        result_ttl_s: seconds for which an ended job is kept.
    """
    steps = timeline(record, result_ttl_s)
    return OperatorJobDetail(
        at=utc(now),
        job=present_job(record, place),
        cost=record.cost,
        request=record.request,
        degraded=record.degraded,
        warnings=list(record.warnings),
        webhook=present_webhook(record.webhook) if record.webhook else None,
        timeline=[TimelineStep(at=utc(step.at), event=step.event, detail=step.detail) for step in steps],
    )
