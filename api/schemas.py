"""What the API answers, as pydantic models: they write the JSON and the OpenAPI document alike."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from riffusion.jobs.record import JobStatus, WebhookState
from riffusion.requests import AudioFormat


class _Answer(BaseModel):
    # Every field is always there, as null where it doesn't apply: that is what "serialization" makes of defaults.
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Queue(_Answer):
    """Where a waiting job stands."""

    position: int = Field(ge=0, description="Jobs before it.")
    eta_s: float | None = Field(description="Seconds until it is likely to start; null until the pace is known.")


class Progress(_Answer):
    """How far a running job is."""

    step: int = Field(ge=0)
    total: int = Field(ge=0)


class ResultImage(_Answer):
    """The spectrogram, as a PNG."""

    url: str = Field(description="Signed; works for everyone who has it until `expires_at`.")
    expires_at: datetime
    width: int
    height: int
    bytes: int


class ResultAudio(_Answer):
    """The sound."""

    url: str = Field(description="Signed; works for everyone who has it until `expires_at`.")
    expires_at: datetime
    duration_s: float
    sample_rate: int
    channels: int
    format: AudioFormat
    bytes: int


class Result(_Answer):
    """What a job made."""

    image: ResultImage
    audio: ResultAudio


class JobFailure(_Answer):
    """Why a job ended without a result."""

    code: str = Field(description="For programs, such as `worker_lost` or `deadline_exceeded`.")
    detail: str = Field(description="For people.")


class JobWebhook(_Answer):
    """Where the job's end is told, and how far that is."""

    url: str
    state: WebhookState
    attempts: int = Field(ge=0, description="Tries begun.")
    next_attempt_at: datetime | None = Field(description="While pending.")
    error: str | None = Field(description="Why the last try failed.")


class Links(_Answer):
    """Where to go from here."""

    self: str
    cancel: str
    events: str


class Job(_Answer):
    """One request and what became of it."""

    id: str
    status: JobStatus
    mode: str
    model: str
    created_at: datetime
    started_at: datetime | None = Field(description="When its last attempt started.")
    completed_at: datetime | None
    queue: Queue | None = Field(description="While queued.")
    progress: Progress | None = Field(description="Once it has started.")
    request: dict[str, Any] = Field(
        description="As accepted, with what was left to chance filled in: sent again, it makes the same clip."
    )
    degraded: bool = Field(
        description="The queue was long, and it has fewer steps than were asked for: `request` says how many."
    )
    attempts: int = Field(ge=0, description="Times a worker has started it.")
    result: Result | None = Field(description="Once succeeded.")
    error: JobFailure | None = Field(description="Once failed.")
    warnings: list[str]
    webhook: JobWebhook | None = Field(description="Where the request named one.")
    links: Links


class JobEvent(_Answer):
    """One event of a job's stream."""

    event: Literal["job"]
    id: str = Field(description="The record's revision.")
    data: str = Field(description="The whole job.", json_schema_extra={"contentMediaType": "application/json"})


class JobList(_Answer):
    """Several jobs."""

    jobs: list[Job]


class JobPage(JobList):
    """Part of the caller's jobs, newest first."""

    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class UploadedFile(_Answer):
    """A file that requests may now name as `{"upload": id}`."""

    id: str
    kind: Literal["image", "audio"]
    content_type: str
    bytes: int
    sha256: str
    expires_at: datetime | None = Field(description="When it is deleted, unless a job still needs it.")
    width: int | None = Field(description="Pixels, of a picture.")
    height: int | None = Field(description="Pixels, of a picture.")
    duration_s: float | None = Field(description="Seconds, of a sound.")


class SeedPicture(_Answer):
    """A built-in picture that `{"seed_image": name}` names."""

    name: str
    title: str
    bpm: float
    bars: int
    beats_per_bar: int
    image_url: str


class SeedList(_Answer):
    """Every built-in seed image."""

    seeds: list[SeedPicture]


class ModelEntry(_Answer):
    """A model that has a worker alive."""

    name: str
    default: bool = Field(description="Whether it serves requests that name no model.")
    workers: int
    slots: int = Field(description="Jobs that its workers hold at once.")
    waiting: int = Field(description="Jobs that wait for it.")
    running: int = Field(description="Jobs that its workers hold now.")
    loras: list[str] = Field(description="What the `lora` of requests may name.")
    guidance: float | None = Field(description="Of requests that leave it out.")


class ModelList(_Answer):
    """Models that are served now."""

    models: list[ModelEntry]


class Share(_Answer):
    """A clip that was published."""

    id: str
    url: str = Field(description="Its page, for people.")


class SharedClip(_Answer):
    """A published clip, as anyone may see it."""

    id: str
    url: str = Field(description="Its page, for people.")
    mode: str
    model: str
    request: dict[str, Any] = Field(description="What it was made from, without the ids of jobs and uploads.")
    created_at: datetime
    image_url: str
    audio_url: str
    duration_s: float
    format: AudioFormat
    width: int
    height: int


class Health(_Answer):
    """A yes."""

    status: Literal["ok", "ready"]
