"""Everything that can happen to a job, each a script that Redis runs in one step on its own clock.

The record in Redis is the source of truth; a message in the broker only says that there is work. The waiting jobs of a
model are one sorted set in the order of start-time fair queueing (Goyal, Vin and Cheng 1996), so that a tenant with one
job doesn't wait behind another's two hundred. A running job is leased to its worker and fenced by a token: an attempt
that has lost the lease can't finish it any more.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from redis import Redis

from riffusion.errors import Gone, NotFound, ResultLost
from riffusion.jobs.acceptance import (
    Acceptance,
    Idempotency,
    Place,
    Submission,
    decode_acceptance,
    decode_place,
    job_entry,
    new_batch,
)
from riffusion.jobs.database import Database, connect, pairs
from riffusion.jobs.inputs import resolve
from riffusion.jobs.models import ModelDirectory
from riffusion.jobs.record import JobRecord, JobStatus, Outcome
from riffusion.jobs.tenants import LISTS_PER_MINUTE, Tenant, list_refusal, may_see
from riffusion.requests import AnyRequest, Sizes
from riffusion.settings import Settings


@dataclass(frozen=True)
class Page:
    """Part of a tenant's jobs, newest first."""

    records: tuple[JobRecord, ...]
    places: tuple[Place | None, ...]
    """Of those that wait."""
    cursor: str | None
    """For the next page; None after the last."""


class JobStore:
    """The jobs in one Redis. Thread-safe.

    Every method raises StoreUnavailable when Redis doesn't respond in time or refuses to write.
    """

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.redis = redis
        self.settings = settings
        self._database = Database(redis, settings)
        self.models = ModelDirectory(self._database)

    @classmethod
    def connect(cls, settings: Settings) -> "JobStore":
        """A store on `settings.redis_url` with short timeouts and no automatic retries. Connects when first used."""
        return cls(connect(settings), settings)

    def accept(self, submissions: Sequence[Submission], idempotency: Idempotency | None = None) -> Acceptance:
        """Accepts all submissions or none; once it returns, the jobs will end in exactly one terminal state each.

        References to uploads and earlier jobs are resolved to files here, and those files are kept until the job ends.
        The same idempotency key from the same tenant returns the same jobs for 24 h, and counts towards no limit. Where
        this owner has an earlier job of the same request, seeds included, whose clip is still kept, the new job has
        succeeded already, with that clip.

        Args:
            submissions: all of one tenant.

        Raises:
            QueueFull: a model's backlog is at its cap, or the tenant has its share of it.
            ModelDraining: a model takes no new jobs now.
            TooManyRequests: the tenant is at a limit of its own.
            InvalidRequest: a request doesn't go with what its quality stands for.
            UnknownReference: an upload or job isn't there, belongs to another owner, or is of the wrong kind.
            IdempotencyConflict: the key came with another body before.
            Gone: the key was used before, and its job was deleted since.
            StoreUnavailable: Redis has no memory for more jobs.
            StorageFull: the storage holds as many bytes as it may.
        """
        tenant = submissions[0].tenant
        cards = [self.models.card(item.request.model or self.settings.model) for item in submissions]
        inputs = [resolve(self._database, item.request, tenant.identity, item.prefix) for item in submissions]
        jobs = zip(submissions, cards, inputs, strict=True)
        batch = new_batch(tenant, idempotency) | {"jobs": [job_entry(*job, self.settings) for job in jobs]}
        reply = self._database.run("accept", json.dumps(batch), resend=idempotency is not None)
        return decode_acceptance(reply, tenant, submissions, inputs)

    def replay(self, tenant: Tenant, idempotency: Idempotency) -> Acceptance | None:
        """The jobs that an idempotency key stands for; None where it is new.

        For a request that can't be accepted again, because what it refers to has expired since.

        Raises:
            IdempotencyConflict, Gone: see `accept`.
        """
        reply = self._database.run("accept", json.dumps(new_batch(tenant, idempotency)))
        return None if reply[0] == b"unknown" else decode_acceptance(reply, tenant, [], [])

    def input_sizes(self, request: AnyRequest, identity: str) -> Sizes:
        """The sizes of the pictures and sounds that a request names, by field.

        Raises:
            UnknownReference: see `accept`.
        """
        return resolve(self._database, request, identity).sizes

    def claim(self, model: str, worker: str, nonce: str) -> JobRecord | None:
        """The next job for this worker, now running under its lease; None when there is nothing for it.

        A record with `solo` set runs alone: while the worker holds it, its other claims return None.

        Args:
            nonce: drawn for each claim, with 128 random bits, since the attempt's folder is a hash of it. The same
                nonce sent again returns the same job, so that a claim whose reply was lost can be repeated.
        """
        return _record(self._database.run("claim", model, worker, nonce))

    def count_waiting(self, model: str) -> int:
        """How many jobs wait for a model."""
        return int(self._database.command("ZCARD", f"waiting:{model}"))

    def heartbeat(self, worker: str, held: Mapping[str, int]) -> set[str]:
        """Extends the leases of the jobs that a worker runs.

        Args:
            held: id -> token.

        Returns:
            The ids of jobs to abandon: they were canceled, deleted, ran past a deadline or belong to another attempt.
        """
        flat = [part for pair in held.items() for part in pair]
        return {job_id.decode() for job_id in self._database.run("heartbeat", worker, *flat)}

    def progress(self, job_id: str, token: int, step: int, total: int, preview: bytes = b"") -> bool:
        """Reports `step` of `total` denoising steps; False: the attempt has lost the job.

        Args:
            preview: a WebP of the picture as it emerges, in place of the one before; empty: none that is new.
        """
        return bool(self._database.run("progress", job_id, token, step, total, preview))

    def finish(self, job_id: str, token: int, outcome: Outcome) -> bool:
        """Ends a running job; False: the attempt has lost it, and its files are to be deleted.

        Idempotent per token: the same attempt may send it again until there is a reply.
        """
        return bool(self._database.run("finish", job_id, token, *outcome.encode()))

    def clean_up_attempt(self, job_id: str, folder: str) -> None:
        """Has the sweep delete the folder of an attempt that lost its job, unless another job shows its files.

        That happens where the attempt's end was recorded, but its reply lost, and the job was copied and deleted since.
        """
        self._database.run("clean_up_attempt", job_id, folder)

    def release(self, job_id: str, token: int) -> bool:
        """Returns a claimed job to the head of the queue, without counting the attempt."""
        return bool(self._database.run("release", job_id, token))

    def cancel(self, job_id: str, identity: str | None = None) -> JobRecord:
        """Ends a queued or running job at once; a job that has ended stays as it is. See `get`."""
        self.get(job_id, identity)
        return _record(self._database.run("cancel", job_id)) or self._raise_missing(job_id, identity)

    def delete(self, job_id: str, identity: str | None = None) -> None:
        """Cancels the job if it hasn't ended, deletes its record and has its files deleted. See `get`."""
        self.get(job_id, identity)
        if not self._database.run("delete_job", job_id):
            self._raise_missing(job_id, identity)

    def get(self, job_id: str, identity: str | None = None) -> JobRecord:
        """The record.

        Args:
            identity: of the tenant that asks for it; without one, access isn't checked.

        Raises:
            NotFound: there is no such job, or `identity` may not see it.
            Gone: there was.
        """
        return self._visible(job_id, self._database.hash(f"job:{job_id}"), identity)

    def get_with_place(self, job_id: str, identity: str | None = None) -> tuple[JobRecord, Place | None]:
        """The record, and its place while it waits, as of one moment. See `get`."""
        record, place = self._database.run("get_with_place", job_id)
        return self._visible(job_id, pairs(record), identity), decode_place(place)

    def preview(self, job_id: str, identity: str | None = None) -> bytes:
        """The latest preview of a running job, a WebP. See `get`.

        Raises:
            NotFound: also where the job has no preview: before the first one, and once it has ended.
        """
        self.get(job_id, identity)
        preview = self._database.blob(f"preview:{job_id}")
        if preview is None:
            raise NotFound(f"Job {job_id} has no preview now; one that is being painted has.")
        return preview

    def _visible(self, job_id: str, data: Mapping[bytes, bytes], identity: str | None) -> JobRecord:
        if not data:
            self._raise_missing(job_id, identity)
        record = JobRecord.decode(data)
        if identity is not None and not may_see(identity, record.tenant):
            raise NotFound(f"There is no job {job_id}.")
        return record

    def _raise_missing(self, job_id: str, identity: str | None) -> NoReturn:
        maker = self._database.text(f"gone:{job_id}")
        if maker is not None and (identity is None or may_see(identity, maker)):
            if self._database.text(f"lost:{job_id}") is not None:
                raise ResultLost(f"This server has lost the files of job {job_id}; submit its request again.")
            raise Gone(f"Job {job_id} has expired or was deleted.")
        raise NotFound(f"There is no job {job_id}.")

    def list(self, tenant: Tenant, status: JobStatus | None = None, limit: int = 20, cursor: str | None = None) -> Page:
        """The jobs of a tenant's owner, newest first; fewer than `limit` where they are long.

        Raises:
            TooManyRequests: the tenant asks for lists too often.
        """
        scopes = json.dumps(tenant.scopes)
        reply = self._database.run(
            "list_jobs", tenant.identity, status or "", limit, cursor or "", scopes, LISTS_PER_MINUTE, resend=False
        )
        if error := list_refusal(reply):
            raise error
        next_cursor, *jobs = reply
        records = tuple(JobRecord.decode(pairs(record)) for record, _ in jobs)
        return Page(records, tuple(decode_place(place) for _, place in jobs), next_cursor.decode() or None)

    def reap(self) -> dict[str, int]:
        """Requeues the jobs of lost workers and ends those past a deadline.

        Called about every second by every process; calls may be concurrent.

        Returns:
            Model -> wake-ups to publish.
        """
        return {model.decode(): count for model, count in pairs(self._database.run("reap")).items()}

    def check(self) -> None:
        """Returns if Redis responds and accepts writes, and raises StoreUnavailable otherwise."""
        self._database.run("check_writable")


def _record(reply: list[bytes] | None) -> JobRecord | None:
    return JobRecord.decode(pairs(reply)) if reply else None
