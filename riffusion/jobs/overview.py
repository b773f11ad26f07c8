"""What runs now: each model's queue, and each worker with the jobs that it holds, read from Redis in one step.

All of it is what leases and heartbeats have written, so the figures agree with each other: nothing is counted from
messages or remembered from an earlier look.
"""

from dataclasses import dataclass
from typing import Any

from redis import Redis

from riffusion.jobs.database import Database
from riffusion.jobs.models import ModelState
from riffusion.settings import Settings


@dataclass(frozen=True)
class ModelOverview:
    """The queue of one model."""

    name: str
    workers: int
    """Workers alive."""
    slots: int
    """Jobs that those workers run at once, together."""
    waiting: int
    """Jobs."""
    running: int
    """Jobs under a lease."""
    held: int
    """Those of them that workers alive hold. The others' workers are lost: they wait again when their leases end."""
    clears_in_s: float | None
    """Seconds until all that wait now has been made, by the pace of earlier jobs; None: without a worker or a pace."""
    state: ModelState


@dataclass(frozen=True)
class HeldJob:
    """A job that a worker holds."""

    id: str
    client: str
    mode: str
    step: int
    """Denoising steps done, as last reported."""
    total: int
    """Denoising steps; 0 until the worker has reported the first."""
    attempts: int
    started_at: float
    """Of this attempt, Unix seconds."""
    lease_until: float
    """When the job is taken back unless a heartbeat comes before, Unix seconds."""


@dataclass(frozen=True)
class WorkerOverview:
    """One worker process."""

    name: str
    """`<host>-<process>-<random>`."""
    model: str | None
    """None: it has sent no heartbeat for the length of a lease, and counts as lost."""
    slots: int
    seen_s: float | None
    """Seconds since its last heartbeat; None where it is lost, or of a version that doesn't say."""
    alone: str | None
    """The id of a job that must run alone: until it ends, the worker takes no other."""
    jobs: tuple[HeldJob, ...]
    """In the order of their starts."""


@dataclass(frozen=True)
class Overview:
    """Of one moment."""

    at: float
    """Unix seconds."""
    models: tuple[ModelOverview, ...]
    """Every model that ever had a worker, by name."""
    workers: tuple[WorkerOverview, ...]
    """A page of them, by name."""
    cursor: str | None
    """For the next page; None after the last."""


class ServiceMonitor:
    """Reads what runs in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def overview(self, workers: int, cursor: str | None = None) -> Overview:
        """Every model, and a page of workers; the time it takes grows with all workers, and with that page's jobs."""
        at, models, shown, next_cursor = self._database.run("read_overview", workers, cursor or "")
        return Overview(
            at=float(at),
            models=tuple(sorted((_model(*each) for each in models), key=lambda model: model.name)),
            workers=tuple(_worker(*each) for each in shown),
            cursor=next_cursor.decode() or None,
        )

    def now(self) -> float:
        """The time of Redis's clock, by which everything of a job is dated, Unix seconds."""
        return self._database.now()


def _model(name: bytes, *rest: Any) -> ModelOverview:
    workers, slots, waiting, running, held, clears_in_s, state = rest
    clears = float(clears_in_s) if clears_in_s else None
    return ModelOverview(name.decode(), workers, slots, waiting, running, held, clears, ModelState(state.decode()))


def _worker(name: bytes, model: bytes, slots: int, *rest: Any) -> WorkerOverview:
    seen_s, alone, jobs = rest
    return WorkerOverview(
        name=name.decode(),
        model=model.decode() or None,
        slots=slots,
        seen_s=float(seen_s) if seen_s else None,
        alone=alone.decode() or None,
        jobs=tuple(sorted((_job(*each) for each in jobs), key=lambda job: (job.started_at, job.id))),
    )


def _job(job_id: bytes, client: bytes, mode: bytes, *rest: bytes) -> HeldJob:
    step, total, attempts, started_at, lease_until = rest
    return HeldJob(
        job_id.decode(), client.decode(), mode.decode(), int(step), int(total), int(attempts), float(started_at),
        float(lease_until),
    )  # fmt: skip
