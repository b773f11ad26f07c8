"""What an operator does to jobs, one by one or to all that match: cancel, requeue, purge."""

from enum import StrEnum

from redis import Redis

from riffusion.errors import Conflict
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings


class JobAction(StrEnum):
    """What is done to a job."""

    CANCEL = "cancel"
    """It ends, if it waits or runs."""
    REQUEUE = "requeue"
    """It waits again, if it has failed."""
    PURGE = "purge"
    """It is deleted with its files; one that hasn't ended is canceled."""

    def concerns(self, record: JobRecord) -> bool:
        """Whether it is meant for jobs of this status; of all that match a filter, others are left alone."""
        match self:
            case JobAction.CANCEL:
                return not record.status.terminal
            case JobAction.REQUEUE:
                return record.status is JobStatus.FAILED
            case JobAction.PURGE:
                return True


class JobActions:
    """Acts on the jobs of one Redis, also those of other clients. Thread-safe."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._store = JobStore(redis, settings)
        self._requeue = Requeue(redis, settings)

    def check(self, action: JobAction, job_id: str) -> None:
        """Returns if `run` would do it now, and raises as it would otherwise."""
        if action is JobAction.REQUEUE:
            self._requeue.check(job_id)
            return
        status = self._store.get(job_id).status
        if action is JobAction.CANCEL and status.terminal:
            raise Conflict(f"Job {job_id} has ended already: it is {status}.")

    def run(self, action: JobAction, job_id: str) -> None:
        """Does it.

        Raises:
            NotFound, Gone: there is no such job, or not any more.
            Conflict: the job has ended and can't be canceled; or, of a requeue, see `Requeue.requeue`.
            StoreUnavailable: Redis doesn't respond.
        """
        match action:
            case JobAction.CANCEL:
                self.check(action, job_id)
                self._store.cancel(job_id)
            case JobAction.REQUEUE:
                self._requeue.requeue(job_id)
            case JobAction.PURGE:
                self._store.delete(job_id)
