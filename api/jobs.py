"""Jobs: submit, look at, list, cancel, delete."""

import re
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from api.admission import admit
from api.body import JSON_TYPE, read_json
from api.clients import client_of
from api.metrics import mark_held
from api.operations import Reply, operation
from api.representation import poll_headers
from api.schemas import Job, JobList, JobPage
from api.services import Services, services
from api.waiting import Snapshot, look
from riffusion.errors import (
    FieldError,
    Gone,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    QueueFull,
    StoreUnavailable,
    UnknownReference,
)
from riffusion.jobs.record import JobStatus
from riffusion.jobs.store import Submission
from riffusion.requests import AnyRequest, Request, parse

MAX_JOBS = 16
MAX_WAIT_S = 60
PAGE = 20
MAX_PAGE = 100
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)

blueprint = Blueprint("jobs", __name__)


class ListQuery(BaseModel):
    """What narrows a list of jobs."""

    model_config = ConfigDict(extra="forbid")

    status: JobStatus | None = Field(None, description="Only jobs of this status.")
    limit: int = Field(PAGE, ge=1, le=MAX_PAGE, description="Jobs a page.")
    cursor: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        None, description="`next_cursor` of the page before."
    )


Submissions = Request | Annotated[list[Request], Field(min_length=1, max_length=MAX_JOBS)]


@blueprint.post("/jobs")
@operation(
    "Submit one job, or up to 16",
    {
        202: Reply(
            "Accepted: the job will reach exactly one terminal state. An array is answered by a list in its order.",
            {JSON_TYPE: Job | JobList},
            headers=("Location", "Retry-After", "Idempotent-Replayed"),
        )
    },
    body={JSON_TYPE: Submissions},
    headers=("Idempotency-Key",),
    problems=(
        BadRequest, Gone, RequestEntityTooLarge, UnsupportedMediaType,
        InvalidRequest, UnknownReference, IdempotencyConflict, QueueFull, StoreUnavailable,
    ),
)  # fmt: skip
def submit() -> Response:
    """All jobs of an array are accepted, or none.

    With an `Idempotency-Key`, the same body from the same client answers the same jobs for 24 hours.
    """
    here = services()
    key = _idempotency_key()
    body = read_json(request, here.settings.max_body_bytes)
    many = isinstance(body, list)
    requests = _parse_all(body) if many else [parse(body)]
    client = client_of(request)
    submissions = [Submission(each, client, prefix=f"{index}." if many else "") for index, each in enumerate(requests)]
    for submission in submissions:
        admit(submission, here)
    acceptance = here.store.accept(submissions, key)
    for model, count in acceptance.wakeups.items():
        here.wakeups.publish(model, count)
    snapshots = [Snapshot(record, here.store.place(record)) for record in acceptance.records]
    jobs = [here.presenter.job(snapshot) for snapshot in snapshots]
    response = _json(JobList(jobs=jobs) if many else jobs[0], 202)
    response.headers["Location"] = here.presenter.address("/jobs") if many else here.presenter.location(jobs[0].id)
    response.headers["Idempotent-Replayed"] = "true" if acceptance.replayed else "false"
    response.headers["Retry-After"] = "1"
    return response


@blueprint.get("/jobs")
@operation(
    "List the caller's jobs, newest first",
    {200: Reply("A page of them.", {JSON_TYPE: JobPage})},
    query=ListQuery,
    problems=(InvalidRequest, StoreUnavailable),
)
def list_jobs() -> Response:
    """Only jobs that this client submitted; whoever knows another job's id asks for it by that."""
    here = services()
    query = _query()
    page = here.store.list(client_of(request), query.status, query.limit, query.cursor)
    jobs = [here.presenter.job(Snapshot(record, here.store.place(record))) for record in page.records]
    return _json(JobPage(jobs=jobs, next_cursor=page.cursor))


@blueprint.get("/jobs/<job_id>")
@operation(
    "Look at a job",
    {
        200: Reply(
            "The job, whatever its status.",
            {JSON_TYPE: Job},
            headers=("ETag", "Retry-After", "Preference-Applied"),
        ),
        304: Reply(
            "Nothing new since `If-None-Match`.", headers=("ETag", "Retry-After", "Preference-Applied")
        ),
    },
    headers=("If-None-Match", "Prefer"),
    problems=(NotFound, Gone, StoreUnavailable),
)  # fmt: skip
def get_job(job_id: str) -> Response:
    """Ask with `If-None-Match` to be told only what is new, and with `Prefer: wait=N` to be told as soon as it is."""
    here = services()
    snapshot = look(here.store, job_id)
    seconds = _preferred_wait()
    applied = False
    if seconds and not _is_new(here, snapshot) and not snapshot.record.status.terminal and here.held.enter():
        mark_held()
        applied = True
        try:
            snapshot = here.watch.until(lambda latest: _is_new(here, latest), snapshot, seconds)
        finally:
            here.held.leave()
    response = _json(here.presenter.job(snapshot)) if _is_new(here, snapshot) else Response(status=304)
    response.set_etag(here.presenter.etag(snapshot), weak=True)
    response.headers.update(poll_headers(snapshot))
    if applied:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


@blueprint.post("/jobs/<job_id>/cancel")
@operation(
    "Cancel a job",
    {200: Reply("The job, ended. One that had ended before is as it was.", {JSON_TYPE: Job})},
    problems=(NotFound, Gone, StoreUnavailable),
)
def cancel_job(job_id: str) -> Response:
    """Ends a queued job at once and a running one at its next step; repeating it changes nothing."""
    here = services()
    return _json(here.presenter.job(Snapshot(here.store.cancel(job_id), None)))


@blueprint.delete("/jobs/<job_id>")
@operation(
    "Delete a job",
    {204: Reply("Gone, and what it made with it.")},
    problems=(NotFound, Gone, StoreUnavailable),
)
def delete_job(job_id: str) -> Response:
    """Cancels it if need be and deletes its record and files; its address answers 410 from now on."""
    services().store.delete(job_id)
    return Response(status=204)


def _parse_all(items: list[Any]) -> list[AnyRequest]:
    """Each request of an array, or the faults of all of them, each field beginning with its request's place."""
    if not 1 <= len(items) <= MAX_JOBS:
        raise InvalidRequest([{"field": "", "message": f"must hold 1 to {MAX_JOBS} requests"}])
    parsed: list[AnyRequest] = []
    faults: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            parsed.append(parse(item))
        except InvalidRequest as error:
            faults += [
                {"field": f"{index}.{fault['field']}".rstrip("."), "message": fault["message"]}
                for fault in error.fields
            ]
    if faults:
        raise InvalidRequest(faults)
    return parsed


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest([{"field": "Idempotency-Key", "message": "must be 1 to 255 visible ASCII characters"}])
    return key


def _query() -> ListQuery:
    try:
        return ListQuery.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise InvalidRequest(
            [{"field": str(item["loc"][0]), "message": item["msg"]} for item in error.errors(include_url=False)]
        ) from None


def _preferred_wait() -> int:
    """Seconds of `Prefer: wait=N` (RFC 7240), at most MAX_WAIT_S; a preference that can't be read is no preference."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), MAX_WAIT_S) if found else 0


def _is_new(here: Services, snapshot: Snapshot) -> bool:
    """Whether the caller hasn't seen this state of the job; one who sent no tag has seen none."""
    return not request.if_none_match.contains_weak(here.presenter.etag(snapshot))


def _json(answer: BaseModel, status: int = 200) -> Response:
    response = Response(answer.model_dump_json(), status, content_type=JSON_TYPE)
    response.headers["Cache-Control"] = "no-cache"
    return response
