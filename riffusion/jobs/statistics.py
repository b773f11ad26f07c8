"""What metrics show of all jobs together, read from Redis in one step, in time that grows with the models alone."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from redis import Redis

from riffusion.jobs.database import Database, pairs
from riffusion.jobs.models import ModelState
from riffusion.settings import Settings

DEFAULT_PACE_S = 0.1
"""Seconds per unit of cost until a model's first job has succeeded: the bundled model on one thread of a CPU."""
DEFAULT_SLOTS = 1
"""Of a worker, until a model's first worker has registered."""


class End(NamedTuple):
    """A way in which jobs end."""

    status: str
    """A terminal one of `JobStatus`."""
    reason: str
    """Of failed jobs, the code of the error; of jobs that succeeded, `made`, or `copied` from an earlier one with the
    same request; of canceled ones `requested`."""
    model: str


@dataclass(frozen=True)
class ModelStatistics:
    """The queue of one model."""

    workers: int
    """Workers alive."""
    slots: int
    """Jobs that those workers run at once, together."""
    waiting: int
    """Jobs."""
    running: int
    """Jobs."""
    waiting_work_s: float
    """Seconds that one worker would take for all jobs that wait: their cost times the model's pace, over a worker's
    slots. Pace and slots are the last known ones where no worker is alive, and the defaults above before there ever
    was one."""
    oldest_waiting_s: float
    """Seconds for which the job that has waited longest has been in the queue; 0 if none waits."""
    state: ModelState
    held: int
    """Requests of batches that aren't jobs yet."""


@dataclass(frozen=True)
class Statistics:
    """Of everything in one Redis."""

    models: dict[str, ModelStatistics]
    """Every model that ever had a worker or a job."""
    ended: dict[End, int]
    """Jobs, since this Redis was empty; of each end that there was."""
    webhooks_pending: int
    """Neither delivered nor failed for good."""
    webhooks_overdue_s: float
    """Seconds for which the time of a try has been over that no process has taken up."""
    expired_entries: int
    """Jobs and uploads whose expired files haven't been deleted."""
    expired_oldest_s: float
    """Seconds for which the oldest of them has been due."""
    stored_bytes: int
    """Of all results and uploads."""
    memory_bytes: int
    """That Redis uses."""
    max_memory_bytes: int
    """From which on Redis takes no new jobs, nine tenths of its limit; 0 without one."""
    reported_clips: int
    """Published ones, with reports that no operator has dealt with."""


def read_statistics(redis: Redis, settings: Settings) -> Statistics:
    """The statistics of this moment.

    Raises:
        StoreUnavailable: Redis doesn't respond in time.
    """
    models, ended, webhooks, expired, sizes, reported = Database(redis, settings).run("statistics")
    return Statistics(
        models={name.decode(): _model(*values) for name, *values in models},
        ended={End(*key.decode().split(" ", 2)): int(count) for key, count in pairs(ended).items()},
        webhooks_pending=webhooks[0],
        webhooks_overdue_s=float(webhooks[1]),
        expired_entries=expired[0],
        expired_oldest_s=float(expired[1]),
        stored_bytes=sizes[0],
        memory_bytes=sizes[1],
        max_memory_bytes=sizes[2],
        reported_clips=reported,
    )


def _model(workers: int, slots: int, waiting: int, running: int, *rest: Any) -> ModelStatistics:
    waiting_cost, pace, worker_slots, oldest_s, state, held = rest
    each = slots / workers if workers else int(worker_slots or DEFAULT_SLOTS)
    work_s = float(waiting_cost) * float(pace or DEFAULT_PACE_S) / each
    return ModelStatistics(workers, slots, waiting, running, work_s, float(oldest_s), ModelState(state.decode()), held)
