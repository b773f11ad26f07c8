"""Whether this process lives, whether it can accept work, and how it is doing."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.json_body import JSON_TYPE, answer
from api.operations import Reply, operation
from api.schemas import Health
from api.services import services
from riffusion.errors import StorageUnavailable, StoreUnavailable

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@operation("Is it alive?", {200: Reply("Yes.", {JSON_TYPE: Health})})
def healthz() -> Response:
    """Asks nobody else; an answer means that this process serves requests."""
    return answer(Health(status="ok"), cache="no-store")


@blueprint.get("/readyz")
@operation(
    "Can it accept work?",
    {200: Reply("Yes.", {JSON_TYPE: Health})},
    problems=(StoreUnavailable, StorageUnavailable),
)
def readyz() -> Response:
    """Redis takes writes and the storage takes files. Workers may be away: jobs wait for them."""
    here = services()
    here.store.check()
    here.files.check()
    return answer(Health(status="ready"), cache="no-store")


@blueprint.get("/metrics")
@operation("Metrics for Prometheus", {200: Reply("In its text format.", {"text/plain": str})})
def metrics() -> Response:
    """Requests by route and status, latencies, held requests; queues and workers by model."""
    here = services()
    return Response(here.metrics.text(here.store), content_type=CONTENT_TYPE_LATEST)
