"""What `JobStore.accept` takes and returns, as the JSON that `accept.lua` reads and the reply that it gives."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riffusion import tracing
from riffusion.errors import Gone, IdempotencyConflict, ModelDraining, QueueFull, UnknownReference
from riffusion.jobs.database import pairs
from riffusion.jobs.inputs import Inputs
from riffusion.jobs.record import JobRecord, Prediction
from riffusion.jobs.tenants import Tenant, key_of, refusal
from riffusion.requests import AnyRequest, ModelCard, complete, cost, degraded, first_form, stored_form, with_seed
from riffusion.settings import Settings


@dataclass(frozen=True)
class Submission:
    """One request to be accepted. Seeds may be left out; accept draws them."""

    request: AnyRequest
    tenant: Tenant
    prefix: str = ""
    """Of field names in errors: "3." for the fourth request of an array."""
    prediction: Prediction | None = None
    """How it was asked for, where that was by Replicate's API."""
    cancel_after_s: float | None = None
    """Seconds after which it is canceled if it hasn't ended; None: never."""


@dataclass(frozen=True)
class Idempotency:
    """An idempotency key and what it stands for."""

    key: str
    body: str
    """Digest of the body as it was sent."""
    digest: str
    """Digest of the requests with their defaults, which is what version 1 compares; it may serve beside this one."""

    @classmethod
    def of(cls, key: str, body: object, submissions: Sequence[Submission]) -> "Idempotency":
        """That of a JSON body and the submissions parsed from it; no submissions where it couldn't be parsed."""
        return cls(key, digest(body), digest([first_form(item.request) for item in submissions]))


@dataclass(frozen=True)
class Allowance:
    """What a tenant may still create."""

    left: int
    """Jobs and uploads, at once."""
    whole_s: float
    """Seconds until it may again create a minute's worth at once."""


@dataclass(frozen=True)
class Place:
    """Where a waiting job stands in the queue."""

    position: int
    """Jobs ahead of it in its model's queue; 0 is next."""
    eta_s: float | None
    """Expected seconds until it starts; None while there is no worker, no earlier job to estimate from, or a pause."""
    paused: bool = False
    """Whether the operator has paused its model: it waits until that is over."""


@dataclass(frozen=True)
class Acceptance:
    """What accept did."""

    records: tuple[JobRecord, ...]
    """In the order of the submissions."""
    places: tuple[Place | None, ...]
    """Of those that wait."""
    replayed: bool
    """Whether the idempotency key was known: these jobs exist since then."""
    wakeups: Mapping[str, int]
    """Model -> messages to publish."""
    allowance: Allowance | None
    """Where there is a limit, and something was created."""


def job_entry(submission: Submission, card: ModelCard, inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """One job for `accept.lua`, with its seeds drawn and what it leaves to its model filled in.

    Raises:
        InvalidRequest: see `complete`.
    """
    seeded = with_seed(submission.request)
    request = complete(seeded, card, submission.prefix)
    less = degraded(seeded, card) if settings.degrade_queued else None
    return {
        "tail": secrets.token_hex(16),  # random, because the id alone may give access to the job
        "client": submission.tenant.name,
        "model": request.model or settings.model,
        "mode": request.MODE,
        **_stored_request(request, inputs),
        **({"degraded": _stored_request(less, inputs)} if less else {}),
        "inputs": json.dumps(inputs.keys),
        "pins": json.dumps(list(inputs.pins)),
        "weight": submission.tenant.weight,
        **({"webhook": request.webhook} if request.webhook else {}),
        **(submission.prediction.encode() if submission.prediction else {}),
        **({"cancel_after_s": submission.cancel_after_s} if submission.cancel_after_s is not None else {}),
        # A request without a seed asks for another clip each time.
        "repeatable": seeded is submission.request and not request.fresh,
    }


def new_batch(tenant: Tenant, key: Idempotency | None) -> dict[str, Any]:
    """What `accept.lua` reads, without jobs yet."""
    return {
        "scopes": tenant.scopes,
        "anonymous": key_of(tenant.name) is None,
        "quota": asdict(tenant.quota),
        "trace": tracing.carrier(),
        "jobs": [],
        **({"owner": tenant.owner} if tenant.owner else {}),
        **({"idem": digest([tenant.identity, key.key]), "digest": key.digest, "body": key.body} if key else {}),
    }


def decode_acceptance(
    reply: Any, tenant: Tenant, submissions: Sequence[Submission], inputs: Sequence[Inputs]
) -> Acceptance:
    """The reply of `accept.lua`, decoded.

    Raises:
        QueueFull, ModelDraining, TooManyRequests, UnknownReference, IdempotencyConflict, Gone, StoreUnavailable,
            StorageFull: see `JobStore.accept`.
    """
    if error := refusal(reply, tenant.quota):
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
        case [b"draining", model]:
            raise ModelDraining(f"Model {model.decode()} takes no new jobs now; GET /models lists others.")
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
        places=tuple(decode_place(place) for _, place in jobs),
        replayed=kind == b"replayed",
        wakeups={model.decode(): count for model, count in pairs(wakeups).items() if count},
        allowance=Allowance(allowance[0], float(allowance[1])) if allowance else None,
    )


def decode_place(reply: list[Any]) -> Place | None:
    """A place from a script's reply: position, ETA and pause, or nothing for a job that doesn't wait."""
    return Place(reply[0], float(reply[1]) if reply[1] else None, bool(reply[2])) if reply else None


def _stored_request(request: AnyRequest, inputs: Inputs) -> dict[str, Any]:
    """The request as it is stored, the version of its format, and what it costs."""
    return {
        "schema": request.schema_version,
        "request": json.dumps(stored_form(request), ensure_ascii=False, separators=(",", ":")),
        "cost": cost(request, inputs.sizes),
    }


def digest(value: object) -> str:
    """A value's hash, the same in every process."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
