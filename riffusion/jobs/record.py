"""What is known about a job: the record, frozen, and its form in Redis."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from riffusion.requests import with_defaults


class JobStatus(StrEnum):
    """Where a job is; the last three are terminal and never change again."""

    QUEUED = "queued"  # waits for a worker, for the first time or again
    RUNNING = "running"  # a worker holds its lease
    SUCCEEDED = "succeeded"  # has a result
    FAILED = "failed"  # has an error
    CANCELED = "canceled"  # ended on request

    @property
    def terminal(self) -> bool:
        """Whether the job has ended for good."""
        return self not in {JobStatus.QUEUED, JobStatus.RUNNING}


@dataclass(frozen=True)
class ImageOutput:
    """The spectrogram a job painted."""

    key: str  # in Files
    width: int  # pixels
    height: int  # pixels
    bytes: int


@dataclass(frozen=True)
class AudioOutput:
    """The sound a job made."""

    key: str  # in Files
    duration_s: float
    sample_rate: int  # Hz
    channels: int
    format: str  # "mp3", "wav", "flac" or "ogg"
    bytes: int


@dataclass(frozen=True)
class JobOutput:
    """What a job made."""

    image: ImageOutput
    audio: AudioOutput


@dataclass(frozen=True)
class Success:
    """A job's good end."""

    output: JobOutput
    warnings: tuple[str, ...] = ()

    def encode(self) -> tuple[str, ...]:
        """Status, bytes of its files, then names and values of the fields it writes into the hash."""
        size = self.output.image.bytes + self.output.audio.bytes
        return "succeeded", str(size), "result", json.dumps(asdict(self.output)), "warnings", json.dumps(self.warnings)


@dataclass(frozen=True)
class Failure:
    """A job's bad end: a stable code of riffusion.errors, and a sentence for people without paths or stack traces."""

    code: str
    detail: str

    def encode(self) -> tuple[str, ...]:
        """Status, bytes of its files, then names and values of the fields it writes into the hash."""
        return "failed", "0", "error", json.dumps(asdict(self))


Outcome = Success | Failure


class WebhookState(StrEnum):
    """Whether a job's end has been told to the address that its request names."""

    WAITING = "waiting"  # for the job to end
    PENDING = "pending"  # is tried, and tried again
    DELIVERED = "delivered"
    FAILED = "failed"  # given up


@dataclass(frozen=True)
class Webhook:
    """Where a job's end is told, and how far that is."""

    url: str
    state: WebhookState
    attempts: int  # begun
    next_at: float | None  # of the next try, Unix seconds
    error: str | None  # of the last one


@dataclass(frozen=True)
class JobRecord:
    """One job as Redis has it. Times are Unix seconds on Redis's clock."""

    id: str
    status: JobStatus
    mode: str
    model: str
    client: str  # whose share of the queue it takes
    request: dict[str, Any]  # JSON of the request, seeds and defaults filled in
    inputs: dict[str, str]  # field of the request -> key in Files, for uploads and earlier jobs
    cost: float  # in denoising steps of one clip
    weight: float  # share of queue and engine against other jobs
    degraded: bool  # has fewer steps than were asked for, because the queue was long
    created_at: float
    started_at: float | None  # of the latest attempt
    completed_at: float | None
    revision: int  # counts visible changes
    token: int  # fencing token: rises with every claim, so that only the latest attempt can finish
    attempts: int  # times started
    solo: bool  # must run alone in its worker, because two workers died under it
    worker: str | None
    folder: (
        str  # of the latest attempt's files, with its slash; random, so that no link holds the id; "" before the first
    )
    step: int
    total: int  # 0 until known
    result: JobOutput | None = None
    error: Failure | None = None
    warnings: tuple[str, ...] = field(default=())
    webhook: Webhook | None = None

    @classmethod
    def decode(cls, data: Mapping[bytes, bytes]) -> "JobRecord":
        """The record from its hash in Redis."""
        text = {key.decode(): value.decode() for key, value in data.items()}

        def when(name: str) -> float | None:
            return float(text[name]) if name in text else None

        error = json.loads(text["error"]) if "error" in text else None
        return cls(
            id=text["id"],
            status=JobStatus(text["status"]),
            mode=text["mode"],
            model=text["model"],
            client=text["client"],
            request=with_defaults(json.loads(text["request"])),
            inputs=json.loads(text["inputs"]),
            cost=float(text["cost"]),
            weight=float(text["weight"]),
            degraded=text.get("degraded") == "1",
            created_at=float(text["created_at"]),
            started_at=when("started_at"),
            completed_at=when("completed_at"),
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
