"""The service as a few dictionaries, which keeps the promise."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from tests.faults.history.record import TERMINAL, Limits, Operation, Seen

LIMITS = {"key": Limits(creates_per_minute=30, jobs_in_flight=3), "open": Limits()}


@dataclass
class Job:
    """A record."""

    id: str
    label: str
    account: str
    status: str = "queued"
    revision: int = 1
    result: str | None = None
    deleted: bool = False

    def seen(self, at: float | None = None, *, revision: bool = True) -> Seen:
        return Seen(
            id=self.id, status=self.status, label=self.label, result=self.result, at=at,
            revision=self.revision if revision else None,
        )  # fmt: skip

    def change(self, status: str) -> None:
        self.status, self.revision = status, self.revision + 1


@dataclass
class Reply:
    """What an operation comes to."""

    status: int
    code: str | None = None
    seen: list[Seen] = field(default_factory=list)
    digest: str | None = None


class Service:
    """What takes effect in one step each; `ended` is called with each job that ends."""

    def __init__(self, draw: random.Random, ended: Callable[[Job], None]) -> None:
        self.jobs: dict[str, Job] = {}
        self._draw = draw
        self._ended = ended
        self._keys: dict[tuple[str, str], list[Job]] = {}
        self._full_at = dict.fromkeys(LIMITS, 0.0)  # when an account's bucket is full again
        self._number = count()

    def accept(self, request: Operation, now: float) -> Reply:
        """POST /jobs."""
        account, key = request.account, str(request.key)
        jobs = self._keys.get((account, key))
        if jobs is None:
            origin = self.jobs.get(str(request.copy_of))
            copied = bool(origin and origin.result and not origin.deleted)
            if refusal := self._refuse(account, len(request.labels), now, copied=copied):
                return refusal
            jobs = [Job(f"job-{next(self._number)}", label, account) for label in request.labels]
            self.jobs |= {job.id: job for job in jobs}
            self._keys[account, key] = jobs
            if copied and origin:
                jobs[0].status, jobs[0].result = "succeeded", origin.result
                self._ended(jobs[0])
        if any(job.deleted for job in jobs):
            return Reply(410, "gone")
        return Reply(202, seen=[job.seen(revision=False) for job in jobs])

    def _refuse(self, account: str, number: int, now: float, *, copied: bool) -> Reply | None:
        limits = LIMITS[account]
        if not copied and self._draw.random() < 0.1:
            return Reply(503, "queue_full")
        active = sum(
            job.account == account and job.status not in TERMINAL and not job.deleted for job in self.jobs.values()
        )
        if not copied and limits.jobs_in_flight and active + number > limits.jobs_in_flight:
            return Reply(429, "too_many_requests")
        if limits.creates_per_minute:
            each = 60 / limits.creates_per_minute
            debt = max(0.0, self._full_at[account] - now) + number * each
            if debt > 60:
                return Reply(429, "too_many_requests")
            self._full_at[account] = now + debt
        return None

    def claim(self) -> Job | None:
        """A waiting job, which runs from now on."""
        waiting = [job for job in self.jobs.values() if job.status == "queued" and not job.deleted]
        job = self._draw.choice(waiting) if waiting else None
        if job:
            job.change("running")
        return job

    def end(self, job: Job, revision: int) -> None:
        """Ends a running job, or lets it wait again, unless it was canceled or deleted since it had this revision."""
        if job.revision != revision or job.deleted:
            return
        status = self._draw.choice(["succeeded"] * 8 + ["failed", "queued"])
        job.change(status)
        job.result = f"results/{job.id}/1" if status == "succeeded" else None
        if status in TERMINAL:
            self._ended(job)

    def serve(self, kind: str, account: str, job: Job | None) -> Reply:
        """Any other operation."""
        if job is None:
            return Reply(200, seen=[each.seen(revision=False) for each in self.listed(account)])
        if kind == "fetch":
            return Reply(200, digest=job.result)  # files go some time after their job
        if job.deleted:
            return Reply(410, "gone")
        if kind == "delete":
            job.deleted = True
            return Reply(204)
        if kind == "cancel" and job.status not in TERMINAL:
            job.change("canceled")
            self._ended(job)
        return Reply(200, seen=[job.seen(revision=kind == "poll")])

    def listed(self, account: str) -> Iterator[Job]:
        """The account's jobs."""
        return (job for job in self.jobs.values() if job.account == account and not job.deleted)
