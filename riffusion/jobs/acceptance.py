"""What accept takes and returns: requests with their client, as the order that `accept.lua` reads, and its reply."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riffusion.errors import Gone, IdempotencyConflict, QueueFull, UnknownReference
from riffusion.jobs.clients import Client, key_of, refusal
from riffusion.jobs.database import pairs
from riffusion.jobs.inputs import Inputs
from riffusion.jobs.record import JobRecord
from riffusion.requests import AnyRequest, Painted, cost, stored_form, with_seed
from riffusion.settings import Settings


@dataclass(frozen=True)
class Submission:
    """One request on its way in. Seeds may be left out; accept draws them."""

    request: AnyRequest
    client: Client
    prefix: str = ""  # of field names in errors: "3." for the fourth request of an array


@dataclass(frozen=True)
class Idempotency:
    """An idempotency key and what it stands for."""

    key: str
    body: str  # digest of the body as it was sent: no later version takes the same body for another
    digest: str  # what version 1 compares, which may serve beside this one: of the requests with their defaults

    @classmethod
    def of(cls, key: str, body: object, submissions: Sequence[Submission]) -> "Idempotency":
        """Of a body in JSON and the submissions that it was parsed to; none where it couldn't be."""
        return cls(key, digest(body), digest([item.request.model_dump(mode="json") for item in submissions]))


@dataclass(frozen=True)
class Allowance:
    """What a client may still create."""

    left: int  # jobs and uploads, at once
    whole_s: float  # seconds until it may again create a minute's worth at once


@dataclass(frozen=True)
class Place:
    """Where a waiting job stands."""

    position: int  # jobs ahead of it in its model's queue; 0 is next
    eta_s: float | None  # expected seconds until it starts; None while no worker or no experience says


@dataclass(frozen=True)
class Acceptance:
    """What accept did."""

    records: tuple[JobRecord, ...]  # in the order of the submissions
    places: tuple[Place | None, ...]  # of those that wait
    replayed: bool  # the idempotency key was known: these jobs exist since then
    wakeups: Mapping[str, int]  # model -> messages to publish
    allowance: Allowance | None  # where there is a limit, and something was created


def entry(submission: Submission, request: AnyRequest, inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """One job for `accept.lua`; `request` is the submission's with everything said that was left out."""
    less = request.degraded() if settings.degrade_queued and isinstance(request, Painted) else None
    return {
        "tail": secrets.token_hex(16),  # the id is its owner's capability
        "client": submission.client.name,
        "model": request.model or settings.model,
        "mode": request.MODE,
        "schema": request.SCHEMA,
        **_work(request, inputs),
        **({"degraded": _work(less, inputs)} if less else {}),
        "inputs": json.dumps(inputs.keys),
        "pins": json.dumps(list(inputs.pins)),
        "weight": submission.client.weight,
        **({"webhook": request.webhook} if request.webhook else {}),
        # Whoever left the seed to chance wants another clip.
        "repeatable": with_seed(submission.request) is submission.request and not request.fresh,
    }


def new_order(client: Client, key: Idempotency | None) -> dict[str, Any]:
    """What `accept.lua` reads, without jobs yet."""
    return {
        "scopes": client.scopes,
        "anonymous": key_of(client.name) is None,
        "quota": asdict(client.quota),
        "jobs": [],
        **({"owner": client.owner} if client.owner else {}),
        **({"idem": digest([client.identity, key.key]), "digest": key.digest, "body": key.body} if key else {}),
    }


def acceptance(reply: Any, client: Client, submissions: Sequence[Submission], inputs: Sequence[Inputs]) -> Acceptance:
    """What the reply of `accept.lua` says.

    Raises:
        QueueFull, TooManyRequests, UnknownReference, IdempotencyConflict, Gone, StoreUnavailable, StorageFull: see
            `JobStore.accept`.
    """
    if error := refusal(reply, client.quota):
        raise error
    match reply:
        case [b"conflict"]:
            raise IdempotencyConflict("This Idempotency-Key came with another body before; use a new one.")
        case [b"gone", job_id]:
            raise Gone(f"Job {job_id.decode()}, which this Idempotency-Key stands for, was deleted.")
        case [b"full", model]:
            raise QueueFull(f"The queue of model {model.decode()} is full; try again later.")
        case [b"no place", model]:
            raise QueueFull(f"Many jobs wait for model {model.decode()}; no more of yours may until some have ended.")
        case [b"no model", index]:
            item = submissions[index]
            message = f"There is no model {item.request.model}; GET /models lists those there are."
            raise UnknownReference(message, f"{item.prefix}model")
        case [b"no input", index, number]:
            pin, name = list(inputs[index].pins.items())[number]
            raise UnknownReference(f"There is no {pin.replace(':', ' ')} any more.", name)
    kind, wakeups, allowance, *jobs = reply
    return Acceptance(
        records=tuple(JobRecord.decode(pairs(record)) for record, _ in jobs),
        places=tuple(place_of(place) for _, place in jobs),
        replayed=kind == b"replayed",
        wakeups={model.decode(): count for model, count in pairs(wakeups).items() if count},
        allowance=Allowance(allowance[0], float(allowance[1])) if allowance else None,
    )


def place_of(reply: list[Any]) -> Place | None:
    """A place from its position and ETA in Redis's words; None of a job that doesn't wait."""
    return Place(reply[0], float(reply[1]) if reply[1] else None) if reply else None


def _work(request: AnyRequest, inputs: Inputs) -> dict[str, Any]:
    """What is to be made, and how much work that is."""
    return {
        "request": json.dumps(stored_form(request), ensure_ascii=False, separators=(",", ":")),
        "cost": cost(request, inputs.sizes),
    }


def digest(value: object) -> str:
    """A value's hash, the same in every process."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
