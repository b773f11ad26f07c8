"""The operators' requests and responses as pydantic models."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from api.query import MAX_PAGE, PAGE
from api.schemas import JobFailure, JobWebhook, Progress, Queue
from riffusion.jobs.audit import ENTRY_ID
from riffusion.jobs.job_actions import JobAction
from riffusion.jobs.models import ModelState
from riffusion.jobs.record import JobStatus

JobId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
Cursor = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
MAX_WORKERS = 50  # a page: each may hold 256 jobs


class OperatorResponse(BaseModel):
    """Every field is always present, as null where it doesn't apply."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class ModelQueue(OperatorResponse):
    """The queue of one model."""

    name: str
    default: bool = Field(description="Whether requests that name no model are for it.")
    state: ModelState
    workers: int = Field(description="Workers alive.")
    slots: int = Field(description="Jobs that those workers run at once, together.")
    waiting: int = Field(description="Jobs.")
    running: int = Field(description="Jobs under a lease.")
    lost: int = Field(description="Those of them whose worker is lost: they wait again when their leases end.")
    clears_in_s: float | None = Field(
        description="Seconds until all that wait now has been made, by the pace of earlier jobs; null if unknown."
    )


class HeldJob(OperatorResponse):
    """A job that a worker holds."""

    id: str
    client: str
    mode: str
    progress: Progress | None = Field(description="Null until the worker has reported the first step.")
    attempts: int
    started_at: datetime = Field(description="Of this attempt.")
    lease_left_s: float = Field(description="Seconds after which it is taken back unless a heartbeat comes before.")


class WorkerState(OperatorResponse):
    """One worker process."""

    name: str
    model: str | None = Field(description="Null: it is lost, since it has sent no heartbeat for a lease's length.")
    slots: int
    seen_s: float | None = Field(description="Seconds since its last heartbeat; null where it is lost or doesn't say.")
    late: bool = Field(description="Whether two heartbeats have not come: it hangs, was killed, or can't reach Redis.")
    alone: str | None = Field(description="The job that must run alone: until it ends, the worker takes no other.")
    jobs: list[HeldJob] = Field(description="Its batch, with those that are prepared for it or finished after it.")


class OperatorName(OperatorResponse):
    """The key that the request bore."""

    key: str = Field(description="Its id.")
    name: str


class ServiceOverview(OperatorResponse):
    """What runs, as of one moment: all of it was read from Redis in one step."""

    at: datetime
    operator: OperatorName
    models: list[ModelQueue]
    workers: list[WorkerState]
    next_cursor: str | None = Field(description="For the next page of workers; null after the last.")


class OverviewQuery(BaseModel):
    """The page of workers."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=MAX_WORKERS, ge=1, le=MAX_WORKERS, description="Workers a page.")
    cursor: Annotated[str, Field(max_length=256)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )


class ModelAction(BaseModel):
    """What to do to a model."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["pause", "drain", "resume", "retire"] = Field(
        description="`pause`: start no more jobs; `drain`: accept no more; `resume`: end either; `retire`: fail what "
        "waits for a model without workers, and forget it."
    )


class ModelActed(OperatorResponse):
    """What was done to a model."""

    failed: int = Field(description="Jobs that failed as `model_retired`.")


class JobFilterFields(BaseModel):
    """Which jobs to find: those that match every field that is given."""

    model_config = ConfigDict(extra="forbid")

    status: JobStatus | None = Field(default=None, description="Only jobs of this status.")
    model: str | None = Field(default=None, max_length=256, description="Only jobs for this model.")
    client: str | None = Field(
        default=None, max_length=512, description="Only those of `address:…`, `key:…` or `key:…/<end user>`."
    )
    key: str | None = Field(default=None, max_length=64, description="Only those of this key and its end users.")
    error: str | None = Field(default=None, max_length=64, description="Only jobs that failed by this error.")
    since: AwareDatetime | None = Field(default=None, description="Only jobs accepted at this time or later.")
    before: AwareDatetime | None = Field(default=None, description="Only jobs accepted before this time.")


class JobQuery(JobFilterFields):
    """The filter and the page of a list of jobs."""

    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Jobs a page.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class JobActionRequest(BaseModel):
    """What to do to which jobs: to those of some ids, or to those that match."""

    model_config = ConfigDict(extra="forbid")

    action: JobAction
    ids: Annotated[list[JobId], Field(min_length=1, max_length=MAX_PAGE)] | None = None
    filter: JobFilterFields | None = Field(
        default=None, description="Of the jobs that match, those of a status that the action is for."
    )
    cursor: Cursor | None = Field(default=None, description="With a filter: `next_cursor` of the response before.")
    dry_run: bool = Field(default=False, description="Say what would be done, and do nothing.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("must have either ids or a filter")
        if self.filter is not None and not self.filter.model_dump(exclude_none=True):
            raise ValueError("must name a field of the filter: without one, it would match every job")
        return self


class RefusedJob(OperatorResponse):
    """A job to which the action could not be done."""

    id: str
    code: str
    detail: str


class JobsActed(OperatorResponse):
    """What was done, or would be."""

    done: list[str] = Field(description="Ids.")
    refused: list[RefusedJob]
    next_cursor: str | None = Field(description="With a filter: repeat the request with it; null when all were seen.")


class OperatorJob(OperatorResponse):
    """A job of any client."""

    id: str
    client: str
    status: JobStatus
    mode: str
    model: str
    created_at: datetime
    started_at: datetime | None = Field(description="When its last attempt started.")
    completed_at: datetime | None
    worker: str | None = Field(description="That of its last attempt.")
    progress: Progress | None = Field(description="Of its last attempt.")
    queue: Queue | None = Field(description="While queued.")
    attempts: int
    requeues: int = Field(description="How often an operator has requeued it.")
    error: JobFailure | None = Field(description="Once failed.")


class OperatorJobPage(OperatorResponse):
    """A page of jobs, newest first."""

    at: datetime
    jobs: list[OperatorJob] = Field(description="Fewer than `limit`, even none, before the last page.")
    next_cursor: str | None = Field(description="For the next page; null after the last.")


class TimelineStep(OperatorResponse):
    """One event of a job."""

    at: datetime
    event: str
    detail: str


class OperatorJobDetail(OperatorResponse):
    """All about one job."""

    at: datetime
    job: OperatorJob
    cost: float = Field(description="In guided steps of 512 columns.")
    request: dict[str, Any]
    degraded: bool
    warnings: list[str]
    webhook: JobWebhook | None
    timeline: list[TimelineStep] = Field(description="In order, what is still to come included.")


class AuditQuery(BaseModel):
    """The page of the audit log."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Entries a page.")
    cursor: Annotated[str, Field(pattern=f"^{ENTRY_ID.pattern}$")] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )


class AuditRecord(OperatorResponse):
    """One action of an operator."""

    id: str
    at: datetime
    actor: str = Field(description="`cli:<user>@<host>` or `key:<id>`.")
    action: str = Field(description="`<kind>.<verb>`, such as `job.requeue`.")
    target: str = Field(description="An id or a name; empty where `details` say of what.")
    details: dict[str, JsonValue]


class AuditPage(OperatorResponse):
    """A page of the audit log, newest first."""

    at: datetime
    entries: list[AuditRecord]
    next_cursor: str | None = Field(description="For the next page; null after the last.")
