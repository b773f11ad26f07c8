"""Everything that can happen to a job, each a script that Redis runs in one step on its own clock.

The record in Redis is the truth; a message in the broker only says that there is work. Waiting jobs stand in one sorted
set per model in the order of start-time fair queueing (Goyal, Vin and Cheng 1996), so that a client with one job doesn't
wait behind another's two hundred. A running job is leased to its worker and fenced by a token: whoever lost the lease
can't finish it any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis import Redis

from riffusion.jobs.record import JobRecord, JobStatus, Outcome
from riffusion.requests import AnyRequest
from riffusion.settings import Settings


@dataclass(frozen=True)
class Submission:
    """One request on its way in. Seeds may be left out; accept draws them."""

    request: AnyRequest
    client: str
    weight: float = 1.0  # share of the queue relative to other clients; > 0


@dataclass(frozen=True)
class Acceptance:
    """What accept did."""

    records: tuple[JobRecord, ...]  # in the order of the submissions
    replayed: bool  # the idempotency key was known: these jobs exist since then
    wakeups: Mapping[str, int]  # model -> messages to publish


@dataclass(frozen=True)
class Page:
    """Part of a client's jobs, newest first."""

    records: tuple[JobRecord, ...]
    cursor: str | None  # for the next page; None after the last


@dataclass(frozen=True)
class Place:
    """Where a waiting job stands."""

    position: int  # jobs ahead of it in its model's queue; 0 is next
    eta_s: float | None  # expected seconds until it starts; None while no worker or no experience says


@dataclass(frozen=True)
class ModelPresence:
    """A model that at least one worker serves now."""

    workers: int
    slots: int  # jobs those workers hold at once, together


class JobStore:
    """The jobs in one Redis. Thread-safe.

    Every method raises StoreUnavailable when Redis doesn't answer in time or refuses to write.
    """

    def __init__(self, redis: Redis, settings: Settings) -> None:
        raise NotImplementedError

    @classmethod
    def connect(cls, settings: Settings) -> "JobStore":
        """A store on settings.redis_url with short timeouts and no blind retries. Connects when first used."""
        raise NotImplementedError

    def accept(self, submissions: Sequence[Submission], idempotency_key: str | None = None) -> Acceptance:
        """Takes in all submissions or none; once it returns, the jobs will end in exactly one terminal state each.

        References to uploads and earlier jobs are resolved to files here, and those files are kept until the job ends.
        The same key from the same client answers the same jobs for 24 h.

        Raises:
            QueueFull: a model's backlog is at its cap.
            UnknownReference: an upload or job isn't there, isn't this client's, or is of the wrong kind.
            IdempotencyConflict: the key came with another body before.
            Gone: the key is known, but its job was deleted since.
        """
        raise NotImplementedError

    def claim(self, model: str, worker: str, nonce: str) -> JobRecord | None:
        """The next job for this worker, now running under its lease; None when there is nothing for it.

        A wake-up is a hint, not a job: a thread that was woken goes on claiming until None. `nonce` is drawn anew for
        each claim; the same nonce sent again answers the same job, so a claim whose answer got lost can be repeated.
        A record with `solo` set runs alone: while the worker holds it, its other claims answer None.
        """
        raise NotImplementedError

    def heartbeat(self, worker: str, held: Mapping[str, int]) -> set[str]:
        """Extends the leases of the jobs (id -> token) that a worker runs; answers the ids it has lost.

        A lost job was canceled, deleted, ran past a deadline or belongs to another attempt: drop it.
        """
        raise NotImplementedError

    def progress(self, job_id: str, token: int, step: int, total: int) -> bool:
        """Tells that `step` of `total` denoising steps are done; False: lost, drop the job."""
        raise NotImplementedError

    def finish(self, job_id: str, token: int, outcome: Outcome) -> bool:
        """Ends a running job; False: not ours any more, and the files written for it are to be deleted.

        Idempotent per token: the same attempt may send it again until it gets an answer.
        """
        raise NotImplementedError

    def release(self, job_id: str, token: int) -> bool:
        """Gives a job back that was claimed but not started; it waits at the head again and no attempt is counted."""
        raise NotImplementedError

    def cancel(self, job_id: str) -> JobRecord:
        """Ends a queued or running job at once; a job that has ended stays as it is. Raises NotFound, Gone."""
        raise NotImplementedError

    def delete(self, job_id: str) -> None:
        """Cancels the job if need be, forgets its record and has its files deleted. Raises NotFound, Gone."""
        raise NotImplementedError

    def get(self, job_id: str) -> JobRecord:
        """The record. Raises NotFound, Gone."""
        raise NotImplementedError

    def list(self, client: str, status: JobStatus | None = None, limit: int = 20, cursor: str | None = None) -> Page:
        """A client's own jobs, newest first."""
        raise NotImplementedError

    def place(self, record: JobRecord) -> Place | None:
        """Where a waiting job stands; None for any other."""
        raise NotImplementedError

    def announce(self, worker: str, model: str, slots: int) -> None:
        """Tells that a worker is there, for the next three leases; send it along with every heartbeat."""
        raise NotImplementedError

    def withdraw(self, worker: str) -> None:
        """Tells that a worker has gone."""
        raise NotImplementedError

    def models_alive(self) -> dict[str, ModelPresence]:
        """The models that workers serve now."""
        raise NotImplementedError

    def reap(self) -> dict[str, int]:
        """Takes back what dead workers held and ends what is past a deadline; model -> wake-ups to publish.

        Called about every second by every process; concurrent calls do no harm.
        """
        raise NotImplementedError

    def check(self) -> None:
        """Raises StoreUnavailable unless Redis answers and takes writes."""
        raise NotImplementedError
