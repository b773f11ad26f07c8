"""Requeueing jobs that failed: the same job waits again, with its id, its request and its seeds."""

from redis import Redis

from riffusion.errors import Conflict, NotFound, QueueFull
from riffusion.jobs.database import Database
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, refusal
from riffusion.settings import Settings


class Requeue:
    """Requeues failed jobs in one Redis. Thread-safe."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._store = JobStore(redis, settings)

    def check(self, job_id: str) -> None:
        """Returns if `requeue` would requeue the job now, and raises as it would otherwise."""
        self._run(job_id, do=False)

    def requeue(self, job_id: str) -> None:
        """Has a failed job wait again, at its client's turn, with new deadlines and as many attempts as any other.

        A reaper wakes a worker within a second or two.

        Raises:
            NotFound, Gone: there is no such job, or not any more.
            Conflict: it hasn't failed, what it starts from was deleted, or its model is draining or retired.
            QueueFull: its model's queue is full.
            StorageFull: the storage holds as many bytes as it may.
            StoreUnavailable: Redis doesn't respond, or has no memory for more jobs.
        """
        self._run(job_id, do=True)

    def _run(self, job_id: str, *, do: bool) -> None:
        reply = self._database.run("requeue_job", job_id, int(do), resend=not do)
        if error := refusal(reply, UNLIMITED):
            raise error
        match reply:
            case [b"no job"]:
                self._store.get(job_id)  # raises Gone where there was one
                raise NotFound(f"There is no job {job_id}.")
            case [b"not failed", status]:
                raise Conflict(f"Job {job_id} is {status.decode()}; only jobs that failed can be requeued.")
            case [b"no input", kind, name]:
                raise Conflict(f"Job {job_id} starts from {kind.decode()} {name.decode()}, which is no longer kept.")
            case [b"no model", model]:
                raise Conflict(f"Job {job_id} is for model {model.decode()}, which was retired.")
            case [b"draining", model]:
                raise Conflict(f"Job {job_id} is for model {model.decode()}, which is draining; resume it first.")
            case [b"full", model]:
                raise QueueFull(f"The queue of model {model.decode()} is full; try again later.")
