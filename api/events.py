"""The progress of a job as server-sent events."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from api.authentication import caller
from api.held_requests import Snapshot, Version, client_has_gone, read_snapshot
from api.metrics import mark_held
from api.operations import Reply, operation
from api.schemas import JobEvent
from api.services import Services, services
from riffusion.errors import Gone, InvalidRequest, NotFound, StoreUnavailable, Unauthorized

EVENT_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0  # proxies close connections that are silent for 30 to 60 s
RECONNECT_MS = 2000

blueprint = Blueprint("events", __name__)


@blueprint.get("/jobs/<job_id>/events")
@operation(
    "Follow a job",
    {
        200: Reply(
            "Events named `job`, each with the whole job as its data and the record's revision as its id: one at once, "
            "one after each change, the last when the job has ended. Comments in between keep the connection alive. "
            "When the server holds as many requests as it may, in all or of this client, the stream ends after its "
            "first event and the client connects again.",
            {EVENT_TYPE: JobEvent},
        ),
        204: Reply("The job has ended and `Last-Event-ID` says that its last event was seen: don't connect again."),
    },
    headers=("Last-Event-ID",),
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, StoreUnavailable),
)
def follow(job_id: str) -> Response:
    """A browser's `EventSource` reconnects by itself with `Last-Event-ID`, and misses no state of the job."""
    here = services()
    client = caller()
    snapshot = read_snapshot(here.store, job_id, client.identity)
    seen = request.headers.get("Last-Event-ID") == str(snapshot.record.revision)
    if seen and snapshot.record.status.terminal:
        return Response(status=204)
    held = here.held.try_enter(client)
    response = Response(
        _events(here, snapshot, request.environ, seen=seen, held=held), content_type=f"{EVENT_TYPE}; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would collect events before it sends them
    if held:
        mark_held()
        # A `finally` in the generator would not run if the client disconnected before the first event.
        response.call_on_close(partial(here.held.leave, client))
    return response


def _events(here: Services, snapshot: Snapshot, environ: Mapping[str, Any], *, seen: bool, held: bool) -> Iterator[str]:
    """The stream's text. It ends when the job is deleted or the store unavailable; the next request gets the error."""
    yield f"retry: {RECONNECT_MS}\n\n"
    if not seen:
        yield _event(here, snapshot)
    while held and not (snapshot.record.status.terminal or here.held.closing or client_has_gone(environ)):
        version = snapshot.version
        try:
            snapshot = here.watcher.until(_newer_than(version, environ), snapshot, HEARTBEAT_S)
        except (NotFound, Gone, StoreUnavailable):
            return
        yield _event(here, snapshot) if snapshot.version != version else ": still here\n\n"


def _newer_than(version: Version, environ: Mapping[str, Any]) -> Callable[[Snapshot], bool]:
    return lambda latest: latest.version != version or client_has_gone(environ)


def _event(here: Services, snapshot: Snapshot) -> str:
    return f"event: job\nid: {snapshot.record.revision}\ndata: {here.presenter.job(snapshot).model_dump_json()}\n\n"
