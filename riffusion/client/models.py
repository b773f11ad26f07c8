"""What the server responds with, as models.

They are tolerant: what a newer server adds is kept as an attribute, a word that it adds to a vocabulary is a string
like the others, and what an older one may lack has a default. A test compares them with `/openapi.json`.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ID = r"^[A-Za-z0-9_-]+$"
"""Of a job, an upload or a batch: it becomes part of addresses and file names."""

JobStatus = Literal["queued", "running", "succeeded", "failed", "canceled"]
BatchStatus = Literal["running", "completed", "canceled"]
BatchResultStatus = Literal["held", "queued", "running", "succeeded", "failed", "canceled"]


class _Response(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)


class Queue(_Response):
    """The place of a waiting job in the queue."""

    position: int
    """Jobs before it."""
    eta_s: float | None = None
    """Seconds until it is likely to start; None until that can be estimated."""
    paused: bool = False
    """Whether the operator has paused its model."""


class Progress(_Response):
    """The progress of a running job."""

    step: int
    total: int


class Preview(_Response):
    """The picture of a running job as it emerges."""

    url: str
    number: int
    """Rises with each new one of an attempt."""


class ResultImage(_Response):
    """The spectrogram, as a PNG."""

    url: str
    """Signed; works for anyone who has it, until `expires_at`."""
    expires_at: datetime
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    bytes: int


class ResultAudio(_Response):
    """The sound."""

    url: str
    """Signed; works for anyone who has it, until `expires_at`."""
    expires_at: datetime
    duration_s: float
    sample_rate: int
    """Samples a second."""
    channels: int
    format: str
    """`mp3`, `wav`, `flac` or `ogg`."""
    bytes: int


class Result(_Response):
    """The files that a job made."""

    image: ResultImage
    audio: ResultAudio


class JobFailure(_Response):
    """Why a job ended without a result."""

    code: str
    """For programs, such as `worker_lost`."""
    detail: str
    """For people."""


class JobWebhook(_Response):
    """The webhook of a job, and the state of its delivery."""

    url: str
    state: str
    """`waiting` for the job to end, `pending`, `delivered` or `failed`."""
    attempts: int
    """Attempts started."""
    next_attempt_at: datetime | None = None
    """While pending."""
    error: str | None = None
    """Why the last attempt failed."""


class Links(_Response):
    """URLs of the job."""

    self: str
    cancel: str
    events: str


class JobData(_Response):
    """A request and its state: the JSON of `GET /jobs/<id>`."""

    id: str = Field(pattern=ID)
    status: JobStatus
    mode: str
    model: str
    batch: str | None = None
    """The id of the batch that it is of."""
    created_at: datetime
    started_at: datetime | None = None
    """When its last attempt started."""
    completed_at: datetime | None = None
    queue: Queue | None = None
    """While queued."""
    progress: Progress | None = None
    """Once it has started."""
    preview: Preview | None = None
    """While it is painted."""
    request: dict[str, Any]
    """As accepted, with the random values filled in: submitted again, it makes the same clip."""
    degraded: bool = False
    """Whether it has fewer steps than requested, because the queue was long: `request` says how many."""
    attempts: int = 0
    """How often a worker has started it."""
    result: Result | None = None
    """Once succeeded."""
    error: JobFailure | None = None
    """Once failed."""
    warnings: list[str] = []
    webhook: JobWebhook | None = None
    """If the request named one."""
    links: Links

    @property
    def ended(self) -> bool:
        """Whether it has reached a terminal state."""
        return self.status in ("succeeded", "failed", "canceled")


class JobList(_Response):
    """Several jobs."""

    jobs: list[JobData]


class JobPage(JobList):
    """Part of the caller's jobs, newest first."""

    next_cursor: str | None = None


class BatchNumbers(_Response):
    """How many of a batch's requests are in each state; their sum is its total."""

    held: int
    """Wait in the batch for a place in the queue."""
    queued: int
    running: int
    succeeded: int
    failed: int
    canceled: int

    @property
    def ended(self) -> int:
        """Those that have reached a terminal state."""
        return self.succeeded + self.failed + self.canceled


class BatchLinks(_Response):
    """URLs of the batch."""

    self: str
    results: str
    cancel: str


class BatchData(_Response):
    """Many requests, and how far they are: the JSON of `GET /batches/<id>`."""

    id: str = Field(pattern=ID)
    status: BatchStatus
    """`running` until all of its requests have ended; then `completed`, also if some failed, or `canceled`."""
    model: str
    total: int
    """Requests."""
    counts: BatchNumbers
    created_at: datetime
    canceled_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    """When it is deleted; known once all of it has ended."""
    links: BatchLinks

    @property
    def ended(self) -> bool:
        """Whether all of its requests have reached a terminal state."""
        return self.status != "running"


class BatchList(_Response):
    """The caller's batches, newest first."""

    batches: list[BatchData]


class BatchResultData(_Response):
    """One line of a batch's results: the JSON of a line of `GET /batches/<id>/results`."""

    line: int
    """Of the request in the batch, from 1."""
    id: str | None = None
    """That the request was sent with."""
    status: BatchResultStatus
    job_id: str | None = None
    """Once it has become a job."""
    job: JobData | None = None
    """Until it expires or is deleted."""
    error: JobFailure | None = None
    """Why there is no clip, or none any more."""


class UploadedFile(_Response):
    """An uploaded file, which requests may name as `Upload(upload=id)`."""

    id: str
    kind: str
    """`image` or `audio`."""
    content_type: str
    bytes: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    """When it is deleted, unless a job still needs it."""
    width: int | None = None
    """Pixels, of a picture."""
    height: int | None = None
    """Pixels, of a picture."""
    duration_s: float | None = None
    """Of a sound."""


class UploadPage(_Response):
    """Part of the caller's uploads, newest first."""

    uploads: list[UploadedFile]
    next_cursor: str | None = None


class SeedPicture(_Response):
    """A built-in picture that `SeedImage(seed_image=name)` names."""

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
    default: bool
    """Whether it serves requests that name no model."""
    state: str
    """`active`; `paused`: jobs are accepted and wait; `draining`: new ones are refused."""
    workers: int
    slots: int
    """Jobs that its workers can hold at once."""
    waiting: int
    """Jobs that wait for it."""
    running: int
    """Jobs that its workers hold now."""
    loras: list[str]
    """Names that the `lora` of requests may contain."""
    guidance: float | None = None
    """The default for requests that omit it."""
    qualities: dict[str, dict[str, Any]]
    """What each `quality` fills in where a request leaves it out."""


class ModelList(_Response):
    """Models that are served now."""

    models: list[ModelEntry]


class Share(_Response):
    """The share of a published clip."""

    id: str
    url: str
    """Its page, for people."""
    listed: bool = False
    """Whether it is in the server's gallery."""
