"""Submitting jobs: one request, or an array that is accepted as a whole or not at all."""

import re
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType

from api.acceptance import accept, wake_workers
from api.authentication import caller
from api.held_requests import Snapshot
from api.json_body import JSON_TYPE, json_response, read_json
from api.operations import Reply, operation
from api.representation import poll_headers, rate_limit_headers
from api.schemas import Job, JobList
from api.services import Services, services
from riffusion.errors import (
    Blocked,
    FieldError,
    Gone,
    IdempotencyConflict,
    InvalidRequest,
    ModelDraining,
    QueueFull,
    RequestError,
    StorageFull,
    StoreUnavailable,
    TooManyRequests,
    Unauthorized,
    UnknownReference,
)
from riffusion.jobs.acceptance import Acceptance, Idempotency, Submission
from riffusion.jobs.tenants import Tenant
from riffusion.requests import AnyRequest, Request, parse

MAX_JOBS = 16
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

blueprint = Blueprint("submit", __name__)

Submissions = Request | Annotated[list[Request], Field(min_length=1, max_length=MAX_JOBS)]


@blueprint.post("/jobs")
@operation(
    "Submit one job, or up to 16",
    {
        202: Reply(
            "Accepted: the job will reach exactly one terminal state. For an array, the jobs in its order.",
            {JSON_TYPE: Job | JobList},
            headers=("Location", "Retry-After", "Idempotent-Replayed", "RateLimit-Policy", "RateLimit"),
        )
    },
    body={JSON_TYPE: Submissions},
    headers=("Idempotency-Key",),
    problems=(
        Unauthorized, Blocked, BadRequest, Gone, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType,
        InvalidRequest, UnknownReference, IdempotencyConflict, TooManyRequests, QueueFull, ModelDraining,
        StoreUnavailable, StorageFull,
    ),
)  # fmt: skip
def submit() -> Response:
    """All jobs of an array are accepted, or none.

    With an `Idempotency-Key`, the same body from the same client returns the same jobs for 24 hours.
    """
    here, client = services(), caller()
    key = idempotency_key()
    body = read_json(request, here.settings.max_body_bytes)
    many = isinstance(body, list)
    try:
        acceptance = _accept(body, key, here, client)
    except RequestError:
        # What the request refers to may be gone since its first submission, which was accepted all the same.
        known = here.store.replay(client, Idempotency.of(key, body, [])) if key else None
        if known is None:
            raise
        acceptance = known
    wake_workers(acceptance, here)
    snapshots = [Snapshot(*seen) for seen in zip(acceptance.records, acceptance.places, strict=True)]
    jobs = [here.presenter.job(snapshot) for snapshot in snapshots]
    response = json_response(JobList(jobs=jobs) if many else jobs[0], 202)
    response.headers["Location"] = here.presenter.address("/jobs") if many else here.presenter.location(jobs[0].id)
    response.headers["Idempotent-Replayed"] = "true" if acceptance.replayed else "false"
    response.headers.update(poll_headers(snapshots[-1]))
    response.headers.update(rate_limit_headers(client.quota, acceptance.allowance))
    return response


def _accept(body: Any, key: str | None, here: Services, client: Tenant) -> Acceptance:
    many = isinstance(body, list)
    requests = _parse_all(body) if many else [parse(body)]
    submissions = [Submission(each, client, prefix=f"{index}." if many else "") for index, each in enumerate(requests)]
    return accept(submissions, here, Idempotency.of(key, body, submissions) if key else None)


def _parse_all(items: list[Any]) -> list[AnyRequest]:
    """Each request of an array.

    Raises:
        InvalidRequest: the invalid fields of all of them, each prefixed with its request's index.
    """
    if not 1 <= len(items) <= MAX_JOBS:
        raise InvalidRequest([{"field": "", "message": f"must hold 1 to {MAX_JOBS} requests"}])
    parsed: list[AnyRequest] = []
    errors: list[FieldError] = []
    for index, item in enumerate(items):
        try:
            parsed.append(parse(item))
        except InvalidRequest as error:
            errors += [
                {"field": f"{index}.{each['field']}".rstrip("."), "message": each["message"]} for each in error.fields
            ]
    if errors:
        raise InvalidRequest(errors)
    return parsed


def idempotency_key() -> str | None:
    """The current request's idempotency key, if it has one.

    Raises:
        InvalidRequest: it is malformed.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest([{"field": "Idempotency-Key", "message": "must be 1 to 255 visible ASCII characters"}])
    return key
