"""Everything that can happen to a job, each a script that Redis runs in one step on its own clock.

The record in Redis is the truth; a message in the broker only says that there is work. Waiting jobs stand in one sorted
set per model in the order of start-time fair queueing (Goyal, Vin and Cheng 1996), so that a client with one job
doesn't wait behind another's two hundred. A running job is leased to its worker and fenced by a token: whoever lost the
lease can't finish it any more.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from redis import Redis

from riffusion.errors import Gone, NotFound
from riffusion.jobs.acceptance import Acceptance, Place, Submission, acceptance, body_digest, digest, entry, place_of
from riffusion.jobs.clients import UNLIMITED, Quota, may_see
from riffusion.jobs.database import Database, connect, pairs
from riffusion.jobs.inputs import resolve
from riffusion.jobs.record import JobRecord, JobStatus, Outcome
from riffusion.requests import AnyRequest, InputSize, ModelCard, references, with_guidance, with_seed
from riffusion.settings import Settings

NO_CARD = ModelCard()
CARD_S = 1.0


@dataclass(frozen=True)
class Page:
    """Part of a client's jobs, newest first."""

    records: tuple[JobRecord, ...]
    cursor: str | None  # for the next page; None after the last


@dataclass(frozen=True)
class ModelLoad:
    """How busy a model is."""

    workers: int  # alive
    slots: int  # jobs those workers hold at once, together
    waiting: int  # jobs
    running: int  # jobs
    card: ModelCard = NO_CARD  # as its workers told last


class JobStore:
    """The jobs in one Redis. Thread-safe.

    Every method raises StoreUnavailable when Redis doesn't answer in time or refuses to write.
    """

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.redis = redis
        self.settings = settings
        self._database = Database(redis, settings)
        self._cards: dict[str, tuple[ModelCard, float]] = {}  # and until when they are taken to be true

    @classmethod
    def connect(cls, settings: Settings) -> "JobStore":
        """A store on settings.redis_url with short timeouts and no blind retries. Connects when first used."""
        return cls(connect(settings), settings)

    def accept(
        self, submissions: Sequence[Submission], idempotency_key: str | None = None, quota: Quota = UNLIMITED
    ) -> Acceptance:
        """Takes in all submissions or none; once it returns, the jobs will end in exactly one terminal state each.

        References to uploads and earlier jobs are resolved to files here, and those files are kept until the job ends.
        The same key from the same client answers the same jobs for 24 h. A request with its seeds given that was made
        for this client before is a job that has succeeded already, with the earlier one's clip, while that is kept.
        Neither counts towards the quota. All submissions are one client's.

        Raises:
            QueueFull: a model's backlog is at its cap.
            TooManyRequests: the client is at its own.
            UnknownReference: an upload or job isn't there, isn't this client's, or is of the wrong kind.
            IdempotencyConflict: the key came with another body before.
            Gone: the key is known, but its job was deleted since.
        """
        order: dict[str, Any] = {"jobs": [], **asdict(quota)}
        if idempotency_key is not None:
            order |= {"idem": digest([submissions[0].client, idempotency_key]), "digest": body_digest(submissions)}
            if any(references(item.request) for item in submissions):
                # A replay must not fail because what it refers to has expired since.
                reply = self._accept(order)
                if reply[0] != b"unknown":
                    return acceptance(reply, [], [], quota, self.settings.max_queued)
        requests = [self._completed(item.request) for item in submissions]
        inputs = [resolve(self._database, item.request, item.client, item.prefix) for item in submissions]
        jobs = zip(submissions, requests, inputs, strict=True)
        order["jobs"] = [entry(*job, self.settings) for job in jobs]
        return acceptance(self._accept(order), submissions, inputs, quota, self.settings.max_queued)

    def input_size(self, request: AnyRequest, client: str) -> InputSize:
        """Of the picture or sound that a request starts from. Raises UnknownReference as `accept`."""
        return resolve(self._database, request, client).size

    def _accept(self, order: dict[str, Any]) -> Any:
        return self._database.run("accept", json.dumps(order), resend="idem" in order)

    def _completed(self, request: AnyRequest) -> AnyRequest:
        """The request as it will be stored: what was left to chance or to the model is said."""
        request = with_seed(request)
        if with_guidance(request, 0) is request:
            return request
        guidance = self.card(request.model or self.settings.model).guidance
        return request if guidance is None else with_guidance(request, guidance)

    def claim(self, model: str, worker: str, nonce: str) -> JobRecord | None:
        """The next job for this worker, now running under its lease; None when there is nothing for it.

        A wake-up is a hint, not a job: a thread that was woken goes on claiming until None. `nonce` is drawn anew for
        each claim; the same nonce sent again answers the same job, so a claim whose answer got lost can be repeated.
        A record with `solo` set runs alone: while the worker holds it, its other claims answer None.
        """
        return _record(self._database.run("claim", model, worker, nonce))

    def heartbeat(self, worker: str, held: Mapping[str, int]) -> set[str]:
        """Extends the leases of the jobs (id -> token) that a worker runs; answers the ids it has lost.

        A lost job was canceled, deleted, ran past a deadline or belongs to another attempt: drop it.
        """
        flat = [part for pair in held.items() for part in pair]
        return {job_id.decode() for job_id in self._database.run("heartbeat", worker, *flat)}

    def progress(self, job_id: str, token: int, step: int, total: int) -> bool:
        """Tells that `step` of `total` denoising steps are done; False: lost, drop the job."""
        return bool(self._database.run("progress", job_id, token, step, total))

    def finish(self, job_id: str, token: int, outcome: Outcome) -> bool:
        """Ends a running job; False: not ours any more, and the files written for it are to be deleted.

        Idempotent per token: the same attempt may send it again until it gets an answer.
        """
        return bool(self._database.run("finish", job_id, token, *outcome.encode()))

    def release(self, job_id: str, token: int) -> bool:
        """Gives a job back that was claimed but not started; it waits at the head again and no attempt is counted."""
        return bool(self._database.run("release", job_id, token))

    def cancel(self, job_id: str, client: str | None = None) -> JobRecord:
        """Ends a queued or running job at once; a job that has ended stays as it is. Raises as `get`."""
        self.get(job_id, client)
        return _record(self._database.run("cancel", job_id)) or self._missing(job_id, client)

    def delete(self, job_id: str, client: str | None = None) -> None:
        """Cancels the job if need be, forgets its record and has its files deleted. Raises as `get`."""
        self.get(job_id, client)
        if not self._database.run("delete", job_id):
            self._missing(job_id, client)

    def get(self, job_id: str, client: str | None = None) -> JobRecord:
        """The record.

        Args:
            client: who asks, from outside; without one, whatever there is.

        Raises:
            NotFound: there is no such job, or the client may not see it.
            Gone: there was.
        """
        return self._shown(job_id, self._database.hash(f"job:{job_id}"), client)

    def look(self, job_id: str, client: str | None = None) -> tuple[JobRecord, Place | None]:
        """The record, and its place while it waits, as of one moment. As `get`."""
        record, place = self._database.run("look", job_id)
        return self._shown(job_id, pairs(record), client), place_of(place)

    def _shown(self, job_id: str, data: Mapping[bytes, bytes], client: str | None) -> JobRecord:
        if not data:
            self._missing(job_id, client)
        record = JobRecord.decode(data)
        if client is not None and not may_see(client, record.client):
            raise NotFound(f"There is no job {job_id}.")
        return record

    def _missing(self, job_id: str, client: str | None) -> NoReturn:
        maker = self._database.text(f"gone:{job_id}")
        if maker is not None and (client is None or may_see(client, maker)):
            raise Gone(f"Job {job_id} was deleted, or its time was over.")
        raise NotFound(f"There is no job {job_id}.")

    def list(self, client: str, status: JobStatus | None = None, limit: int = 20, cursor: str | None = None) -> Page:
        """A client's own jobs, newest first."""
        next_cursor, *records = self._database.run("list", client, status or "", limit, cursor or "")
        return Page(tuple(JobRecord.decode(pairs(record)) for record in records), next_cursor.decode() or None)

    def place(self, record: JobRecord) -> Place | None:
        """Where a waiting job stands; None for any other."""
        return self.look(record.id)[1] if record.status is JobStatus.QUEUED else None

    def announce(self, worker: str, model: str, slots: int, card: ModelCard = NO_CARD) -> None:
        """Tells that a worker is there, for the length of a lease; send it along with every heartbeat."""
        self._database.run("announce", worker, model, slots, card.model_dump_json())

    def withdraw(self, worker: str) -> None:
        """Tells that a worker has gone."""
        self._database.run("announce", worker, "", 0)

    def models(self) -> dict[str, ModelLoad]:
        """Every model that a worker ever announced, and the default one once it has had a job."""
        found = self._database.run("models")
        return {
            model.decode(): ModelLoad(workers, slots, waiting, running, _card(card))
            for model, workers, slots, waiting, running, card in found
        }

    def card(self, model: str) -> ModelCard:
        """What the model's workers told last, or a second before; an empty card where none ever did."""
        card, until = self._cards.get(model, (NO_CARD, 0.0))
        if time.monotonic() >= until:
            card = _card(self._database.hash(f"model:{model}").get(b"card"))
            if card != NO_CARD:
                self._cards[model] = card, time.monotonic() + CARD_S
        return card

    def models_alive(self) -> dict[str, ModelLoad]:
        """The models that workers serve now."""
        return {model: load for model, load in self.models().items() if load.workers}

    def reap(self) -> dict[str, int]:
        """Takes back what dead workers held and ends what is past a deadline; model -> wake-ups to publish.

        Called about every second by every process; concurrent calls do no harm.
        """
        return {model.decode(): count for model, count in pairs(self._database.run("reap")).items()}

    def check(self) -> None:
        """Raises StoreUnavailable unless Redis answers and takes writes."""
        self._database.run("check")


def _record(reply: list[bytes] | None) -> JobRecord | None:
    return JobRecord.decode(pairs(reply)) if reply else None


def _card(text: bytes | None) -> ModelCard:
    return ModelCard.model_validate_json(text) if text else NO_CARD
