"""Batches: thousands of requests as JSON lines, which become jobs as the queue has places."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType
from werkzeug.http import quote_etag

from api.authentication import caller
from api.batch_intake import BatchIntake
from api.batch_representation import batch_tag, present_batch, present_result
from api.batch_schemas import Batch, BatchForm, BatchList, BatchResult, JsonLines
from api.file_form import FORM_TYPE
from api.held_requests import READS_APART_S, RECHECK_S, client_has_gone
from api.jobs import preferred_wait
from api.json_body import JSON_TYPE, json_response
from api.json_lines import JSONL_TYPE, read_lines
from api.metrics import mark_held
from api.operations import Reply, operation
from api.services import Services, services
from api.submit import idempotency_key
from riffusion.errors import (
    Blocked,
    Gone,
    IdempotencyConflict,
    InvalidRequest,
    ModelDraining,
    NotFound,
    StorageFull,
    StoreUnavailable,
    TooManyRequests,
    Unauthorized,
    UnavailableError,
    UnknownReference,
)
from riffusion.jobs.batch_record import BatchRecord, BatchStatus
from riffusion.jobs.tenants import Tenant, key_of

MAX_BYTES = 100 << 20
MAX_LINE_BYTES = 64 << 10
POLL_S = 5

blueprint = Blueprint("batches", __name__)


@blueprint.post("/batches")
@operation(
    "Submit a batch of up to 10,000 requests",
    {
        202: Reply(
            "Accepted: each request will reach exactly one terminal state.",
            {JSON_TYPE: Batch},
            headers=("Location", "Retry-After", "Idempotent-Replayed"),
        )
    },
    body={JSONL_TYPE: JsonLines, FORM_TYPE: BatchForm},
    headers=("Idempotency-Key",),
    problems=(
        Unauthorized, Blocked, BadRequest, Gone, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType,
        InvalidRequest, UnknownReference, IdempotencyConflict, TooManyRequests, UnavailableError, ModelDraining,
        StoreUnavailable, StorageFull,
    ),
)  # fmt: skip
def submit_batch() -> Response:
    """Needs an API key. All requests are accepted, or none: fields that are invalid are named by their line, as
    `lines.17.prompt`.

    A batch is for one model. It waits in the server, and its requests become jobs as the queue has places.
    """
    here, client, key = services(), _key_owner(), idempotency_key()
    with here.upload_limiter.slot(client):
        draft = here.batches.begin(client, key)
        try:
            intake = BatchIntake(draft, client, here)
            read_lines(request, intake.take, MAX_BYTES, min(MAX_LINE_BYTES, here.settings.max_body_bytes))
            batch_id, replayed = draft.commit(intake.end())
        except BaseException:
            with suppress(StoreUnavailable):
                draft.drop()
            raise
    response = _present(here.batches.get(batch_id, client.identity), here, 202)
    response.headers["Location"] = here.presenter.address(f"/batches/{batch_id}")
    response.headers["Idempotent-Replayed"] = "true" if replayed else "false"
    return response


@blueprint.get("/batches")
@operation(
    "List the caller's batches, newest first",
    {200: Reply("All that are kept.", {JSON_TYPE: BatchList})},
    problems=(Unauthorized, InvalidRequest, TooManyRequests, StoreUnavailable),
)
def list_batches() -> Response:
    """Needs an API key."""
    here = services()
    found = here.batches.list(_key_owner())
    kept_s = here.settings.result_ttl_s
    return json_response(BatchList(batches=[present_batch(each, here.presenter, kept_s) for each in found]))


@blueprint.get("/batches/<batch_id>")
@operation(
    "Get a batch",
    {
        200: Reply("The batch.", {JSON_TYPE: Batch}, headers=("ETag", "Retry-After", "Preference-Applied")),
        304: Reply("Unchanged since `If-None-Match`.", headers=("ETag", "Retry-After", "Preference-Applied")),
    },
    headers=("If-None-Match", "Prefer"),
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def get_batch(batch_id: str) -> Response:
    """With `If-None-Match`, the response has a body only after a change; with `Prefer: wait=N`, it waits for one."""
    here, known, client = services(), request.if_none_match, _key_owner()
    record = here.batches.get(batch_id, client.identity)
    seconds, applied = preferred_wait(), False
    if seconds and known.contains_weak(batch_tag(record)) and here.held.try_enter(client):
        mark_held()
        applied = True
        try:
            record = _wait(record, here, seconds)
        finally:
            here.held.leave(client)
    response = Response(status=304) if known.contains_weak(batch_tag(record)) else _present(record, here)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["ETag"] = quote_etag(batch_tag(record), weak=True)
    if record.status is BatchStatus.RUNNING:
        response.headers["Retry-After"] = str(POLL_S)
    if applied:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return response


@blueprint.get("/batches/<batch_id>/results")
@operation(
    "Get the results of a batch",
    {200: Reply("JSON lines, one for each request, in their order.", {JSONL_TYPE: BatchResult})},
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, TooManyRequests, UnavailableError, StoreUnavailable),
)
def get_results(batch_id: str) -> Response:
    """Each line is as of the moment in which it is sent, also those of requests that haven't ended. A response with
    fewer lines than `total` was cut off. Counts as a list for each hundred lines.
    """
    here, client = services(), _key_owner()
    record = here.batches.get(batch_id, client.identity)
    with ExitStack() as place:
        here.held.enter(client)
        place.callback(here.held.leave, client)
        here.batches.charge_results(client, record.total)  # not what finds no place
        mark_held()
        response = Response(_results(here, record, client), content_type=JSONL_TYPE)
        response.call_on_close(place.pop_all().close)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would collect lines before it sends them
    return response


@blueprint.post("/batches/<batch_id>/cancel")
@operation(
    "Cancel a batch",
    {200: Reply("The ended batch. If it had ended before, it is unchanged.", {JSON_TYPE: Batch})},
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def cancel_batch(batch_id: str) -> Response:
    """Ends all of its requests that haven't ended, at once; repeating it changes nothing."""
    here = services()
    return _present(here.batches.cancel(batch_id, _key_owner().identity), here)


@blueprint.delete("/batches/<batch_id>")
@operation(
    "Delete a batch",
    {204: Reply("Deleted; its jobs and their files are deleted within minutes.")},
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def delete_batch(batch_id: str) -> Response:
    """Cancels what hasn't ended of it, and deletes it with all of its jobs; its address answers 410 from then on."""
    services().batches.delete(batch_id, _key_owner().identity)
    return Response(status=204)


def _key_owner() -> Tenant:
    """The client, who must have a key.

    Thousands of requests that wait for days are for a client who can be limited, blocked and revoked; an address is
    shared by many and costs nothing.

    Raises:
        Unauthorized: it has none.
    """
    client = caller()
    if key_of(client.name) is None:
        raise Unauthorized("Batches need an API key: send it as `Authorization: Bearer <key>`.")
    return client


def _present(record: BatchRecord, here: Services, status: int = 200) -> Response:
    response = json_response(present_batch(record, here.presenter, here.settings.result_ttl_s), status)
    if record.status is BatchStatus.RUNNING:
        response.headers["Retry-After"] = str(POLL_S)
    return response


def _wait(record: BatchRecord, here: Services, seconds: float) -> BatchRecord:
    """The batch once it differs from `record`, or when the time is up or the server stops."""
    tag, deadline, heard = batch_tag(record), time.monotonic() + seconds, 0
    while batch_tag(record) == tag and record.status is BatchStatus.RUNNING and not here.held.closing:
        left = deadline - time.monotonic()
        if left <= 0 or client_has_gone(request.environ):
            break
        heard = here.hub.wait(record.id, max(heard, record.revision), min(left, RECHECK_S))
        time.sleep(READS_APART_S)
        record = here.batches.get(record.id)
    return record


def _results(here: Services, record: BatchRecord, client: Tenant) -> Iterator[str]:
    for item in here.batches.results(record.id, client.identity):
        yield present_result(item, here.presenter).model_dump_json() + "\n"
