"""Everything that can happen to a job, each a script that Redis runs in one step on its own clock.

The record in Redis is the truth; a message in the broker only says that there is work. Waiting jobs stand in one sorted
set per model in the order of start-time fair queueing (Goyal, Vin and Cheng 1996), so that a client with one job
doesn't wait behind another's two hundred. A running job is leased to its worker and fenced by a token: whoever lost the
lease can't finish it any more.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from redis import Redis

from riffusion.errors import Gone, NotFound, TooManyRequests
from riffusion.jobs.acceptance import Acceptance, Idempotency, Place, Submission, acceptance, entry, new_order, place_of
from riffusion.jobs.clients import Client, may_see
from riffusion.jobs.database import Database, connect, pairs
from riffusion.jobs.inputs import resolve
from riffusion.jobs.record import JobRecord, JobStatus, Outcome
from riffusion.requests import AnyRequest, ModelCard, Sizes, with_guidance, with_seed
from riffusion.settings import Settings

NO_CARD = ModelCard()
CARD_S = 1.0
LISTS_PER_MINUTE = 120  # of one client: a list costs as much as a hundred polls


@dataclass(frozen=True)
class Page:
    """Part of a client's jobs, newest first."""

    records: tuple[JobRecord, ...]
    places: tuple[Place | None, ...]  # of those that wait
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

    def accept(self, submissions: Sequence[Submission], idempotency: Idempotency | None = None) -> Acceptance:
        """Takes in all submissions or none; once it returns, the jobs will end in exactly one terminal state each.

        References to uploads and earlier jobs are resolved to files here, and those files are kept until the job ends.
        The same idempotency key from the same client yields the same jobs for 24 h, and counts towards no limit. A
        request with its seeds given that was made for this owner before is a job that has succeeded already, with the
        earlier one's clip, while that is kept. All submissions are one client's.

        Raises:
            QueueFull: a model's backlog is at its cap, or the client has its share of it.
            TooManyRequests: the client is at a limit of its own.
            UnknownReference: an upload or job isn't there, isn't this client's, or is of the wrong kind.
            IdempotencyConflict: the key came with another body before.
            Gone: the key is known, but its job was deleted since.
            StoreUnavailable: Redis has no memory for more jobs.
            StorageFull: the storage holds as many bytes as it may.
        """
        client = submissions[0].client
        requests = [self._completed(item.request) for item in submissions]
        inputs = [resolve(self._database, item.request, client.identity, item.prefix) for item in submissions]
        jobs = zip(submissions, requests, inputs, strict=True)
        order = new_order(client, idempotency) | {"jobs": [entry(*job, self.settings) for job in jobs]}
        reply = self._database.run("accept", json.dumps(order), resend=idempotency is not None)
        return acceptance(reply, client, submissions, inputs)

    def replay(self, client: Client, idempotency: Idempotency) -> Acceptance | None:
        """The jobs that an idempotency key stands for; None where it stands for none yet. Raises as `accept`.

        For a request that can't be accepted any more: what it refers to may have gone since it was.
        """
        reply = self._database.run("accept", json.dumps(new_order(client, idempotency)))
        return None if reply[0] == b"unknown" else acceptance(reply, client, [], [])

    def input_sizes(self, request: AnyRequest, identity: str) -> Sizes:
        """Of the pictures and sounds that a request names, by field. Raises UnknownReference as `accept`."""
        return resolve(self._database, request, identity).sizes

    def _completed(self, request: AnyRequest) -> AnyRequest:
        """The request as it will be stored: what was left to chance or to the model is said."""
        request = with_seed(request)
        if with_guidance(request, 0) is request:
            return request
        guidance = self.card(request.model or self.settings.model).guidance
        return request if guidance is None else with_guidance(request, guidance)

    def claim(self, model: str, worker: str, nonce: str) -> JobRecord | None:
        """The next job for this worker, now running under its lease; None when there is nothing for it.

        A wake-up is a hint, not a job: a thread that was woken claims until None. `nonce` is drawn for each claim, with
        128 random bits, since the attempt's folder is a hash of it; the same nonce sent again returns the same job, so
        a claim whose reply got lost can be repeated. A record with `solo` set runs alone: while the worker holds it,
        its other claims return None.
        """
        return _record(self._database.run("claim", model, worker, nonce))

    def waiting(self, model: str) -> int:
        """How many jobs wait for a model."""
        return int(self._database.command("ZCARD", f"waiting:{model}"))

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
        """Ends a running job; False: not ours any more, and the files written for it are to be discarded.

        Idempotent per token: the same attempt may send it again until it gets an answer.
        """
        return bool(self._database.run("finish", job_id, token, *outcome.encode()))

    def discard(self, job_id: str, folder: str) -> None:
        """Has the sweep delete what an attempt that lost its job stored in its folder, unless another job shows it.

        An attempt whose end was recorded may learn that its job is gone: it was ended, copied and deleted in between.
        """
        self._database.run("discard", job_id, folder)

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

    def list(self, client: Client, status: JobStatus | None = None, limit: int = 20, cursor: str | None = None) -> Page:
        """The jobs of a client's owner, newest first; fewer than `limit` where they are long.

        Raises:
            TooManyRequests: the client asks for lists too often.
        """
        scopes = json.dumps(client.scopes)
        reply = self._database.run(
            "list", client.identity, status or "", limit, cursor or "", scopes, LISTS_PER_MINUTE, resend=False
        )
        if reply[0] == b"too many lists":
            message = f"You may ask for {LISTS_PER_MINUTE} lists a minute; poll single jobs instead."
            raise TooManyRequests(message, retry_after=math.ceil(float(reply[1])))
        next_cursor, *jobs = reply
        records = tuple(JobRecord.decode(pairs(record)) for record, _ in jobs)
        return Page(records, tuple(place_of(place) for _, place in jobs), next_cursor.decode() or None)

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
