"""What a job is: its status, what it made or why it failed, its webhook, and the record of it all in Redis."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from riffusion import tracing
from riffusion.jobs.attempts import PastAttempt
from riffusion.requests import with_defaults


class JobStatus(StrEnum):
    """Where a job is between its acceptance and its end.

    | event                      | from            | to                |
    |----------------------------|-----------------|-------------------|
    | claim                      | queued          | running           |
    | release, lease lost        | running         | queued            |
    | finish                     | running         | succeeded, failed |
    | deadline, attempts used up | queued, running | failed            |
    | cancel                     | queued, running | canceled          |
    | requeue, by an operator    | failed          | queued            |

    The last three are terminal: a job that has one never changes again, until it expires or is deleted; or, where it
    has failed, until an operator requeues it.
    """

    QUEUED = "queued"
    """Waits for a worker, for the first time or again."""
    RUNNING = "running"
    """A worker holds its lease."""
    SUCCEEDED = "succeeded"
    """Has a result."""
    FAILED = "failed"
    """Has an error: what its attempt raised, a deadline that it passed, or the loss of its worker in every attempt."""
    CANCELED = "canceled"
    """Ended on request."""

    @property
    def terminal(self) -> bool:
        """Whether the job has ended for good."""
        return self not in {JobStatus.QUEUED, JobStatus.RUNNING}


@dataclass(frozen=True)
class ImageOutput:
    """The spectrogram image that a job made."""

    key: str
    """In Storage."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    bytes: int


@dataclass(frozen=True)
class AudioOutput:
    """The sound that a job made."""

    key: str
    """In Storage."""
    duration_s: float
    sample_rate: int
    """Hz."""
    channels: int
    format: str
    """`mp3`, `wav`, `flac` or `ogg`."""
    bytes: int


@dataclass(frozen=True)
class JobOutput:
    """What a job made."""

    image: ImageOutput
    audio: AudioOutput


@dataclass(frozen=True)
class Success:
    """How an attempt ends that made a clip."""

    output: JobOutput
    warnings: tuple[str, ...] = ()

    def encode(self) -> tuple[str, ...]:
        """Status, bytes of its files, then names and values of the fields that it writes into the hash."""
        size = self.output.image.bytes + self.output.audio.bytes
        return "succeeded", str(size), "result", json.dumps(asdict(self.output)), "warnings", json.dumps(self.warnings)


@dataclass(frozen=True)
class Failure:
    """How an attempt ends that made none."""

    code: str
    """That of a class in `riffusion.errors`; stable."""
    detail: str
    """A sentence for people, without paths or stack traces."""

    def encode(self) -> tuple[str, ...]:
        """Status, bytes of its files, then names and values of the fields that it writes into the hash."""
        return "failed", "0", "error", json.dumps(asdict(self))


Outcome = Success | Failure


class WebhookState(StrEnum):
    """Whether a job's end has been reported to the address that its request names."""

    WAITING = "waiting"
    """The job hasn't ended."""
    PENDING = "pending"
    """A try is due, in progress or will follow."""
    DELIVERED = "delivered"
    """The receiver accepted it."""
    FAILED = "failed"
    """The last try has failed, or the receiver has asked for no more (410)."""


@dataclass(frozen=True)
class Webhook:
    """Where a job's end is reported, and how far that is."""

    url: str
    state: WebhookState
    attempts: int
    """Tries begun."""
    next_at: float | None
    """Time of the next try, Unix seconds."""
    error: str | None
    """Of the last try."""


@dataclass(frozen=True)
class Prediction:
    """How a client of Replicate's API asked for a job."""

    version: str
    """Of the model, as the client named it."""
    input: dict[str, Any]
    """As it was sent."""
    events: tuple[str, ...]
    """Those that its webhook reports: `start`, `output`, `logs`, `completed`."""

    def encode(self) -> dict[str, str]:
        """Its fields in Redis, where scripts read the events only: the rest is the client's."""
        sent = {"version": self.version, "input": self.input}
        return {
            "prediction": json.dumps(sent, ensure_ascii=False, separators=(",", ":")),
            "webhook_events": " ".join(self.events),
        }

    @classmethod
    def decode(cls, text: Mapping[str, str]) -> "Prediction":
        """The prediction from a job's hash in Redis."""
        sent = json.loads(text["prediction"])
        return cls(sent["version"], sent["input"], tuple(text["webhook_events"].split()))


@dataclass(frozen=True)
class JobRecord:
    """One job as Redis has it. Times are Unix seconds on Redis's clock."""

    id: str
    status: JobStatus
    mode: str
    model: str
    tenant: str
    """Whose share of the queue it takes; the hash's field is `client`."""
    request: dict[str, Any]
    """JSON of the request, with seeds and defaults filled in."""
    inputs: dict[str, str]
    """Field of the request -> key in Storage, for uploads and results of earlier jobs."""
    cost: float
    """In denoising steps of one clip."""
    weight: float
    """Share of queue and engine relative to other jobs; > 0."""
    degraded: bool
    """Whether it has fewer steps than the request asked for, because the queue was long."""
    created_at: float
    queued_at: float
    """Since when it waits or waited, for the first time or again."""
    started_at: float | None
    """Of the latest attempt."""
    completed_at: float | None
    revision: int
    """Rises with every visible change."""
    token: int
    """Fencing token: rises with every claim, so that only the latest attempt can finish the job."""
    attempts: int
    """Times started."""
    solo: bool
    """Whether it must run alone in its worker, because two workers were lost while running it."""
    worker: str | None
    """The worker that holds the lease."""
    folder: str
    """Prefix of the latest attempt's files, ending in a slash; empty before the first. Random: no link has the id."""
    step: int
    """Denoising steps done by the latest attempt."""
    total: int
    """Denoising steps that the latest attempt needs; 0 until known."""
    result: JobOutput | None = None
    """Of a job that succeeded."""
    error: Failure | None = None
    """Of a job that failed."""
    warnings: tuple[str, ...] = ()
    webhook: Webhook | None = None
    prediction: Prediction | None = None
    """Of a job that came in by Replicate's API."""
    preview: int = 0
    """How many previews the running attempt has shown; 0 where there is none to see."""
    trace: Mapping[str, str] = field(default_factory=dict)
    """Carrier of the trace that it belongs to (`riffusion.tracing`); empty without one."""
    attempt_trace: Mapping[str, str] = field(default_factory=dict)
    """Carrier of the span of the latest attempt."""
    past_attempts: tuple[PastAttempt, ...] = ()
    """Oldest first; the last 32."""
    requeues: int = 0
    """How often an operator has requeued it."""
    batch: str | None = None
    """The batch that it is of."""

    @classmethod
    def decode(cls, data: Mapping[bytes, bytes]) -> "JobRecord":
        """The record from its hash in Redis."""
        text = {key.decode(): value.decode() for key, value in data.items()}

        def time_of(name: str) -> float | None:
            return float(text[name]) if name in text else None

        error = json.loads(text["error"]) if "error" in text else None
        return cls(
            id=text["id"],
            status=JobStatus(text["status"]),
            mode=text["mode"],
            model=text["model"],
            tenant=text["client"],
            request=with_defaults(json.loads(text["request"])),
            inputs=json.loads(text["inputs"]),
            cost=float(text["cost"]),
            weight=float(text["weight"]),
            degraded=text.get("degraded") == "1",
            created_at=float(text["created_at"]),
            queued_at=float(text.get("queued_at", text["created_at"])),
            started_at=time_of("started_at"),
            completed_at=time_of("completed_at"),
            revision=int(text["revision"]),
            token=int(text["token"]),
            attempts=int(text["attempts"]),
            solo="solo" in text,
            worker=text.get("worker"),
            folder=text.get("folder", ""),
            step=int(text["step"]),
            total=int(text["total"]),
            result=_decode_output(text["result"]) if "result" in text else None,
            error=Failure(error["code"], error["detail"]) if error else None,
            warnings=tuple(json.loads(text.get("warnings", "[]"))),
            webhook=_decode_webhook(text) if "webhook" in text else None,
            prediction=Prediction.decode(text) if "prediction" in text else None,
            preview=int(text.get("preview", 0)) if text["status"] == JobStatus.RUNNING else 0,
            trace={header: text[header] for header in tracing.HEADERS if header in text},
            attempt_trace={"traceparent": text["attempt_traceparent"]} if "attempt_traceparent" in text else {},
            past_attempts=tuple(map(PastAttempt.decode, json.loads(text.get("attempt_log", "[]")))),
            requeues=int(text.get("requeues", 0)),
            batch=text.get("batch"),
        )


def _decode_webhook(text: Mapping[str, str]) -> Webhook:
    return Webhook(
        url=text["webhook"],
        state=WebhookState(text.get("webhook_state", "waiting")),
        attempts=int(text["webhook_attempts"]),
        next_at=float(text["webhook_next"]) if "webhook_next" in text else None,
        error=text.get("webhook_error") or None,
    )


def _decode_output(text: str) -> JobOutput:
    data = json.loads(text)
    return JobOutput(image=ImageOutput(**data["image"]), audio=AudioOutput(**data["audio"]))
