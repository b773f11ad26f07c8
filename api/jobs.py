"""Jobs: list, read, look at, cancel, delete."""

import re
from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.http import quote_etag

from api.authentication import caller, owner
from api.held_requests import Snapshot, client_has_gone, read_snapshot
from api.json_body import JSON_TYPE, json_response
from api.metrics import mark_held
from api.operations import BINARY, Reply, operation
from api.query import MAX_PAGE, PAGE, read_query
from api.representation import poll_headers
from api.schemas import Job, JobPage
from api.services import services
from riffusion.errors import (
    Gone,
    InvalidRequest,
    NotFound,
    StoreUnavailable,
    TooManyRequests,
    Unauthorized,
)
from riffusion.jobs.record import JobStatus

MAX_WAIT_S = 60
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)

blueprint = Blueprint("jobs", __name__)


class ListQuery(BaseModel):
    """The filter and the page of a list of jobs."""

    model_config = ConfigDict(extra="forbid")

    status: JobStatus | None = Field(default=None, description="Only jobs of this status.")
    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Jobs a page.")
    cursor: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )


@blueprint.get("/jobs")
@operation(
    "List the caller's jobs, newest first",
    {200: Reply("A page of them.", {JSON_TYPE: JobPage})},
    query=ListQuery,
    problems=(Unauthorized, InvalidRequest, TooManyRequests, StoreUnavailable),
)
def list_jobs() -> Response:
    """Needs a key or a `Riffusion-Secret`, and lists what was submitted with it; other jobs are found by their ids.

    A page holds fewer jobs than `limit` where they are long.
    """
    here = services()
    query = read_query(ListQuery)
    page = here.store.list(owner(), query.status, query.limit, query.cursor)
    jobs = [here.presenter.job(Snapshot(*seen)) for seen in zip(page.records, page.places, strict=True)]
    return json_response(JobPage(jobs=jobs, next_cursor=page.cursor))


@blueprint.get("/jobs/<job_id>")
@operation(
    "Get a job",
    {
        200: Reply(
            "The job, whatever its status.",
            {JSON_TYPE: Job},
            headers=("ETag", "Retry-After", "Preference-Applied"),
        ),
        304: Reply(
            "Unchanged since `If-None-Match`.", headers=("ETag", "Retry-After", "Preference-Applied")
        ),
    },
    headers=("If-None-Match", "Prefer"),
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)  # fmt: skip
def get_job(job_id: str) -> Response:
    """With `If-None-Match`, the response has a body only after a change; with `Prefer: wait=N`, it waits for one."""
    here = services()
    known = request.if_none_match

    def is_new(latest: Snapshot) -> bool:
        return not known.contains_weak(here.presenter.etag(latest))

    client = caller()
    snapshot = read_snapshot(here.store, job_id, client.identity)
    seconds = preferred_wait()
    applied = False
    if seconds and not (is_new(snapshot) or snapshot.record.status.terminal) and here.held.try_enter(client):
        mark_held()
        applied = True
        try:
            environ = request.environ
            snapshot = here.watcher.until(lambda it: is_new(it) or client_has_gone(environ), snapshot, seconds)
        finally:
            here.held.leave(client)
    tag = here.presenter.etag(snapshot)
    response = Response(status=304) if known.contains_weak(tag) else json_response(here.presenter.job(snapshot))
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["ETag"] = quote_etag(tag, weak=True)
    response.headers.update(poll_headers(snapshot))
    if applied:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


@blueprint.get("/jobs/<job_id>/preview")
@operation(
    "Look at the picture while it is painted",
    {
        200: Reply("The latest preview, of 10 kB at most.", {"image/webp": BINARY}, headers=("ETag",)),
        304: Reply("Unchanged since `If-None-Match`.", headers=("ETag",)),
    },
    headers=("If-None-Match",),
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def get_preview(job_id: str) -> Response:
    """Grey, dark is loud; half as large as the picture on each side, or smaller, in its proportions.

    `not_found` before the first preview and once the job has ended.
    """
    response = Response(services().store.preview(job_id, caller().identity), content_type="image/webp")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.post("/jobs/<job_id>/cancel")
@operation(
    "Cancel a job",
    {200: Reply("The ended job. If it had ended before, it is unchanged.", {JSON_TYPE: Job})},
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def cancel_job(job_id: str) -> Response:
    """Ends a queued job at once and a running one at its next step; repeating it changes nothing."""
    here = services()
    return json_response(here.presenter.job(Snapshot(here.store.cancel(job_id, caller().identity), None)))


@blueprint.delete("/jobs/<job_id>")
@operation(
    "Delete a job",
    {204: Reply("Deleted, with the files that it made.")},
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def delete_job(job_id: str) -> Response:
    """Cancels it if it hasn't ended, and deletes its record and files; from then on its address answers 410."""
    services().store.delete(job_id, caller().identity)
    return Response(status=204)


def preferred_wait() -> int:
    """Seconds of `Prefer: wait=N` (RFC 7240), at most MAX_WAIT_S; 0 without it, or if it is malformed."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), MAX_WAIT_S) if found else 0
