"""Batches as clients see them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.file_form import MAX_PARTS
from api.schemas import Job, JobFailure
from riffusion.jobs.batch_record import BatchStatus


class _Response(BaseModel):
    # Every field is always present, as null where it doesn't apply, so the schema lists all of them as required.
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


JsonLines = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "A `Request` a line, as JSON, in UTF-8; each may also have an `id` of one's own, a text of "
            "1 to 128 characters that no other line has.",
        }
    ),
]


class BatchForm(BaseModel):
    """The form; other parts are ignored."""

    model_config = ConfigDict(
        json_schema_extra={"maxProperties": MAX_PARTS, "additionalProperties": {"type": "string"}}
    )

    file: Annotated[bytes, WithJsonSchema({"type": "string", "contentMediaType": "application/jsonl"})]


class BatchNumbers(_Response):
    """How many of a batch's requests are in each state."""

    held: int = Field(ge=0, description="Wait in the batch for a place in the queue.")
    queued: int = Field(ge=0)
    running: int = Field(ge=0)
    succeeded: int = Field(ge=0)
    failed: int = Field(ge=0)
    canceled: int = Field(ge=0)


class BatchLinks(_Response):
    """URLs of the batch."""

    self: str
    results: str
    cancel: str


class Batch(_Response):
    """Many requests, and how far they are."""

    id: str
    status: BatchStatus
    model: str = Field(description="Of all of its requests.")
    total: int = Field(ge=1, description="Requests.")
    counts: BatchNumbers = Field(description="Their sum is `total`.")
    created_at: datetime
    canceled_at: datetime | None
    completed_at: datetime | None = Field(description="When its last request ended.")
    expires_at: datetime | None = Field(description="When it is deleted; known once all of it has ended.")
    links: BatchLinks


class BatchList(_Response):
    """All of the caller's batches, newest first."""

    batches: list[Batch]


class BatchResult(_Response):
    """One line of a batch's results."""

    line: int = Field(ge=1, description="Of the request in the batch.")
    id: str | None = Field(description="That the request was sent with.")
    status: Literal["held", "queued", "running", "succeeded", "failed", "canceled"]
    job_id: str | None = Field(description="Once it has become a job.")
    job: Job | None = Field(description="The whole job, until it expires or is deleted.")
    error: JobFailure | None = Field(description="Why there is no clip, or none any more.")
