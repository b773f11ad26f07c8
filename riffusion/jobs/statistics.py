"""What metrics show of all jobs together, read from Redis in one step whose time grows with the number of models alone."""

from dataclasses import dataclass

from redis import Redis

from riffusion.jobs.database import Database
from riffusion.settings import Settings

DEFAULT_PACE_S = 0.1
"""Seconds per unit of cost until a model's first job has succeeded: the bundled model on one thread of a CPU."""
DEFAULT_SLOTS = 1
"""Of a worker, until a model's first worker has registered."""


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


@dataclass(frozen=True)
class Statistics:
    """Of everything in one Redis."""

    models: dict[str, ModelStatistics]
    """Every model that ever had a worker or a job."""


def read_statistics(redis: Redis, settings: Settings) -> Statistics:
    """The statistics of this moment.

    Raises:
        StoreUnavailable: Redis doesn't respond in time.
    """
    models = Database(redis, settings).run("statistics")
    return Statistics({name.decode(): _model(*values) for name, *values in models})


def _model(
    workers: int, slots: int, waiting: int, running: int, waiting_cost: bytes, pace: bytes, worker_slots: bytes
) -> ModelStatistics:
    each = slots / workers if workers else int(worker_slots or DEFAULT_SLOTS)
    work_s = float(waiting_cost) * float(pace or DEFAULT_PACE_S) / each
    return ModelStatistics(workers, slots, waiting, running, work_s)
