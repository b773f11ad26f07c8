"""The span of one attempt at a job, in the trace of the request that submitted it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from riffusion import tracing
from riffusion.errors import StoreUnavailable
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore


@contextmanager
def attempt_span(record: JobRecord, store: JobStore, claimed_at: float) -> Iterator[tracing.Span]:
    """A span from the claim to the end of the block, after one of the wait before it.

    An attempt whose process is killed leaves no span; so the next one is linked to what it would have been.

    Args:
        claimed_at: when the claim's call began, Unix seconds.
    """
    if not tracing.enabled():
        yield tracing.NO_SPAN
        return
    common: tracing.Attributes = {"riffusion.job.id": record.id, "riffusion.attempt": record.attempts}
    if record.trace and record.started_at:  # both of Redis's clock
        tracing.record(tracing.Past("wait", record.queued_at, record.started_at, common), parent=record.trace)
    attributes = {
        **common,
        "riffusion.mode": record.mode,
        "riffusion.cost": record.cost,
        "messaging.system": "redis",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": record.model,
    }
    earlier = [record.attempt_trace] if record.attempt_trace else []
    with tracing.span(
        f"process {record.model}", attributes, kind="consumer", parent=record.trace, links=earlier, began=claimed_at
    ) as span:
        tracing.record(tracing.Past("claim", claimed_at, time.time()))
        if tracing.ids():
            _keep_position(record, store)
        yield span


def _keep_position(record: JobRecord, store: JobStore) -> None:
    try:
        store.trace_attempt(record.id, record.token, tracing.carrier()["traceparent"])
    except StoreUnavailable:
        return  # costs a link
