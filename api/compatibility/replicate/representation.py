"""A job as Replicate's clients see it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from api.compatibility import held_job
from api.compatibility.data_uri import data_uri
from api.compatibility.replicate.creation import MODEL
from api.held_requests import Snapshot
from api.representation import Presenter
from api.schemas import Progress
from riffusion.jobs.record import JobOutput, JobRecord, JobStatus
from riffusion.storage import CONTENT_TYPES

Status = Literal["starting", "processing", "succeeded", "failed", "canceled"]

_STATUS: dict[JobStatus, Status] = {
    JobStatus.QUEUED: "starting",
    JobStatus.RUNNING: "processing",
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELED: "canceled",
}
_BAR = 20  # characters


class Output(BaseModel):
    """What a prediction made: links, or the files themselves as data URIs."""

    audio: str
    spectrogram: str


class PredictionView(BaseModel):
    """A prediction."""

    id: str
    model: str = MODEL
    version: str
    input: dict[str, Any]
    logs: str
    output: Output | None
    data_removed: bool = False
    error: str | None
    status: Status
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    metrics: dict[str, float]
    urls: dict[str, str]


def present(record: JobRecord, presenter: Presenter) -> PredictionView:
    """A job that came in as a prediction, with links to what it made."""
    prediction = record.prediction
    assert prediction is not None  # noqa: S101 - narrows the type
    job = presenter.job(Snapshot(record, None))
    here = presenter.address(f"/v1/predictions/{job.id}")
    took = (job.completed_at - job.started_at).total_seconds() if job.completed_at and job.started_at else None
    return PredictionView(
        id=job.id,
        version=prediction.version,
        input=prediction.input,
        logs=_progress_bar(job.progress) if job.progress else "",
        output=Output(audio=job.result.audio.url, spectrogram=job.result.image.url) if job.result else None,
        error=job.error.detail if job.error else None,
        status=_STATUS[job.status],
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        metrics={} if took is None else {"predict_time": took},
        urls={"get": here, "cancel": f"{here}/cancel"},
    )


def has_readable_output(view: PredictionView, presenter: Presenter) -> bool:
    """Whether Replicate's packages can read what it made by its links, if it made anything.

    They take only https links for files, and send the client's key along, with which S3 refuses a signed link.
    """
    own = presenter.address("/")
    return view.output is None or (own.startswith("https:") and view.output.audio.startswith(own))


def inline_output(output: JobOutput, files: held_job.ResultFiles) -> Output:
    """The files themselves."""
    sound = data_uri(CONTENT_TYPES[f".{output.audio.format}"], files.audio)
    return Output(audio=sound, spectrogram=data_uri("image/png", files.png))


def webhook_body(record: JobRecord, presenter: Presenter) -> str:
    """The JSON of a job for its webhook: a prediction, where it came in as one."""
    view = present(record, presenter) if record.prediction else presenter.job(Snapshot(record, None))
    return view.model_dump_json()


def _progress_bar(progress: Progress) -> str:
    """As tqdm writes it, which Replicate's packages parse."""
    filled = _BAR * progress.step // progress.total
    bar = "█" * filled + " " * (_BAR - filled)
    return f"{100 * progress.step // progress.total}%|{bar}| {progress.step}/{progress.total}\n"
