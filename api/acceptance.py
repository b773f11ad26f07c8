"""Accepting requests: their checks, the store, and the wake-ups of workers, for each way in which they arrive."""

from collections.abc import Sequence

import structlog

from api.admission import admit
from api.services import Services
from riffusion import tracing
from riffusion.jobs.acceptance import Acceptance, Idempotency, Submission


def accept(submissions: Sequence[Submission], here: Services, idempotency: Idempotency | None = None) -> Acceptance:
    """Accepts all submissions or none.

    Raises:
        RiffusionError: as `admit` and `JobStore.accept`.
    """
    for submission in submissions:
        admit(submission, here)
    attributes: tracing.Attributes = {
        "messaging.system": "redis",
        "messaging.operation.type": "send",
        "messaging.operation.name": "accept",
        "messaging.batch.message_count": len(submissions),
    }
    with tracing.span("accept", attributes, kind="producer"):
        return here.store.accept(submissions, idempotency)


def wake_workers(acceptance: Acceptance, here: Services) -> None:
    """Publishes the wake-ups for what was accepted; one that gets lost is published later by a reaper."""
    for model, count in acceptance.wakeups.items():
        if not here.wakeups.publish(model, count):
            structlog.get_logger().warning("wake-up not published", model=model)
