"""Whether this process is alive, whether it can accept work, and its metrics."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.json_body import JSON_TYPE, json_response
from api.operations import Reply, operation
from api.schemas import Health
from api.services import services
from riffusion.errors import StorageUnavailable, StoreUnavailable

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@operation("Is it alive?", {200: Reply("Yes.", {JSON_TYPE: Health})})
def healthz() -> Response:
    """Depends on nothing else: a response means that this process serves requests."""
    return json_response(Health(status="ok"), cache="no-store")


@blueprint.get("/readyz")
@operation(
    "Can it accept work?",
    {200: Reply("Yes.", {JSON_TYPE: Health})},
    problems=(StoreUnavailable, StorageUnavailable),
)
def readyz() -> Response:
    """Redis accepts writes and the storage accepts files. Workers may all be stopped: jobs wait for them."""
    here = services()
    here.store.check()
    here.files.check()
    return json_response(Health(status="ready"), cache="no-store")


@blueprint.get("/metrics")
@operation("Metrics for Prometheus", {200: Reply("In its text format.", {"text/plain": str})})
def metrics() -> Response:
    """Requests by route and status, latencies, held requests; queues and workers by model."""
    here = services()
    return Response(here.metrics.text(here.store), content_type=CONTENT_TYPE_LATEST)
