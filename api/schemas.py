"""The API's responses as pydantic models, from which both the JSON and the OpenAPI document are generated."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from riffusion.jobs.models import ModelState
from riffusion.jobs.record import JobStatus, WebhookState
from riffusion.jobs.reports import MAX_DETAILS, ReportReason
from riffusion.requests import AudioFormat, Presets


class _Response(BaseModel):
    # Every field is always present, as null where it doesn't apply, so the schema lists all of them as required.
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class Queue(_Response):
    """The place of a waiting job in the queue."""

    position: int = Field(ge=0, description="Jobs before it.")
    eta_s: float | None = Field(description="Seconds until it is likely to start; null until that can be estimated.")
    paused: bool = Field(description="Whether the operator has paused its model: it waits at least until that is over.")


class Progress(_Response):
    """The progress of a running job."""

    step: int = Field(ge=0)
    total: int = Field(ge=0)


class Preview(_Response):
    """The picture of a running job as it emerges."""

    url: str = Field(description="A WebP, for those who may see the job; 404 once it has ended.")
    number: int = Field(ge=1, description="Rises with each new one of an attempt.")


class ResultImage(_Response):
    """The spectrogram, as a PNG."""

    url: str = Field(description="Signed; works for anyone who has it, until `expires_at`.")
    expires_at: datetime
    width: int
    height: int
    bytes: int


class ResultAudio(_Response):
    """The sound."""

    url: str = Field(description="Signed; works for anyone who has it, until `expires_at`.")
    expires_at: datetime
    duration_s: float
    sample_rate: int
    channels: int
    format: AudioFormat
    bytes: int


class Result(_Response):
    """The files that a job made."""

    image: ResultImage
    audio: ResultAudio


class JobFailure(_Response):
    """Why a job ended without a result."""

    code: str = Field(description="For programs, such as `worker_lost` or `deadline_exceeded`.")
    detail: str = Field(description="For people.")


class JobWebhook(_Response):
    """The webhook of a job, and the state of its delivery."""

    url: str
    state: WebhookState
    attempts: int = Field(ge=0, description="Attempts started.")
    next_attempt_at: datetime | None = Field(description="While pending.")
    error: str | None = Field(description="Why the last attempt failed.")


class Links(_Response):
    """URLs of the job."""

    self: str
    cancel: str
    events: str


class Job(_Response):
    """A request and its state."""

    id: str
    status: JobStatus
    mode: str
    model: str
    created_at: datetime
    started_at: datetime | None = Field(description="When its last attempt started.")
    completed_at: datetime | None
    queue: Queue | None = Field(description="While queued.")
    progress: Progress | None = Field(description="Once it has started.")
    preview: Preview | None = Field(description="While it is painted.")
    request: dict[str, Any] = Field(
        description="As accepted, with the random values filled in: sent again, it makes the same clip."
    )
    degraded: bool = Field(
        description="Whether it has fewer steps than requested, because the queue was long: `request` says how many."
    )
    attempts: int = Field(ge=0, description="How often a worker has started it.")
    result: Result | None = Field(description="Once succeeded.")
    error: JobFailure | None = Field(description="Once failed.")
    warnings: list[str]
    webhook: JobWebhook | None = Field(description="If the request named one.")
    batch: str | None = Field(description="The id of the batch that it is of.")
    links: Links


class JobEvent(_Response):
    """One event of a job's stream."""

    event: Literal["job"]
    id: str = Field(description="The record's revision.")
    data: str = Field(description="The whole job.", json_schema_extra={"contentMediaType": "application/json"})


class JobList(_Response):
    """Several jobs."""

    jobs: list[Job]


class JobPage(JobList):
    """Part of the caller's jobs, newest first."""

    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class UploadedFile(_Response):
    """An uploaded file, which requests may name as `{"upload": id}`."""

    id: str
    kind: Literal["image", "audio"]
    content_type: str
    bytes: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None = Field(description="When it is deleted, unless a job still needs it.")
    width: int | None = Field(description="Pixels, of a picture.")
    height: int | None = Field(description="Pixels, of a picture.")
    duration_s: float | None = Field(description="Seconds, of a sound.")


class UploadPage(_Response):
    """Part of the caller's uploads, newest first."""

    uploads: list[UploadedFile]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last.")


class SeedPicture(_Response):
    """A built-in picture that `{"seed_image": name}` names."""

    name: str
    title: str
    bpm: float
    bars: int
    beats_per_bar: int
    image_url: str


class SeedList(_Response):
    """Every built-in seed image."""

    seeds: list[SeedPicture]


class ModelEntry(_Response):
    """A model that has a running worker."""

    name: str
    default: bool = Field(description="Whether it serves requests that name no model.")
    state: ModelState = Field(
        description="`paused`: jobs are accepted and wait. `draining`: new ones are refused with `model_draining`."
    )
    workers: int
    slots: int = Field(description="Jobs that its workers can hold at once.")
    waiting: int = Field(description="Jobs that wait for it.")
    running: int = Field(description="Jobs that its workers hold now.")
    loras: list[str] = Field(description="Names that the `lora` of requests may contain.")
    guidance: float | None = Field(description="The default for requests that omit it.")
    qualities: Presets = Field(description="What each `quality` fills in where a request leaves it out.")


class ModelList(_Response):
    """Models that are served now."""

    models: list[ModelEntry]


class Share(_Response):
    """The share of a published clip."""

    id: str
    url: str = Field(description="Its page, for people.")
    listed: bool = Field(description="Whether the clip is in this server's gallery; not unless its publisher lists it.")


class Report(BaseModel):
    """What is wrong with a published clip."""

    model_config = ConfigDict(extra="forbid")

    reason: ReportReason = Field(
        description="`rights`: uses what belongs to somebody else; `offensive`; `private`: about a person; `spam`; "
        "`other`."
    )
    details: str = Field(default="", max_length=MAX_DETAILS, description="For the operators of the server.")


class SharedClip(_Response):
    """A published clip, as shown to anyone."""

    id: str
    url: str = Field(description="Its page, for people.")
    mode: str
    model: str
    request: dict[str, Any] = Field(description="The request that made it, without the ids of jobs and uploads.")
    created_at: datetime
    listed: bool = Field(description="Whether it is in this server's gallery.")
    embed_url: str = Field(description="A small player, to show in a frame of another site.")
    image_url: str
    audio_url: str
    duration_s: float
    format: AudioFormat
    width: int
    height: int


class Gallery(_Response):
    """Clips that their publishers have listed, newest first."""

    clips: list[SharedClip]
    next_cursor: str | None = Field(description="For the next page; null after the last.")


class OEmbed(BaseModel):
    """How another site shows a published clip (oEmbed 1.0). What doesn't apply is left out."""

    model_config = ConfigDict(frozen=True)

    version: Literal["1.0"] = "1.0"
    type: Literal["rich"] = "rich"
    provider_name: Literal["Riffusion"] = "Riffusion"
    provider_url: str
    title: str
    cache_age: int = Field(description="Seconds.")
    html: str = Field(description="An `iframe` with the player.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    thumbnail_url: str | None = Field(default=None, description="The spectrogram, where it is within the limits.")
    thumbnail_width: int | None = None
    thumbnail_height: int | None = None


class Health(_Response):
    """Success of a health check."""

    status: Literal["ok", "ready"]
