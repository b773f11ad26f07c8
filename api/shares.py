"""Publishing a clip, and the published clip as JSON and as files. Its page for people is in web/pages.py."""

from datetime import UTC, datetime

from flask import Blueprint, Response, redirect

from api.authentication import caller
from api.json_body import JSON_TYPE
from api.operations import Reply, operation
from api.schemas import Share, SharedClip
from api.services import services
from riffusion.errors import Blocked, Gone, InvalidRequest, NotFound, StoreUnavailable, Unauthorized, UnknownReference
from riffusion.jobs.record import JobOutput, JobRecord
from riffusion.requests import shareable

blueprint = Blueprint("shares", __name__)


@blueprint.post("/jobs/<job_id>/publish")
@operation(
    "Publish a clip",
    {201: Reply("Its share id, and the page that shows it.", {JSON_TYPE: Share}, headers=("Location",))},
    problems=(Unauthorized, Blocked, NotFound, Gone, InvalidRequest, UnknownReference, StoreUnavailable),
)
def publish(job_id: str) -> Response:
    """Anyone with the share id may see, hear and download the clip while it is kept, and nothing else.

    Publishing again returns the same id; deleting the job deletes the page.
    """
    here = services()
    share_id = here.shares.publish(job_id, caller().identity)
    share = Share(id=share_id, url=here.presenter.address(f"/clips/{share_id}"))
    response = Response(share.model_dump_json(), 201, content_type=JSON_TYPE)
    response.headers["Location"] = share.url
    return response


@blueprint.get("/clips/<share_id>.json")
@operation(
    "Get a published clip",
    {200: Reply("The request that made it, and links to its files.", {JSON_TYPE: SharedClip})},
    problems=(NotFound, Gone, StoreUnavailable),
)
def shared_clip(share_id: str) -> Response:
    """The request is shown without the ids of jobs and uploads, which are for its maker only."""
    response = Response(describe(share_id).model_dump_json(), content_type=JSON_TYPE)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/clips/<share_id>/clip.<suffix>")
@operation(
    "Fetch a file of a published clip",
    {302: Reply("To `clip.png`, or to `clip.mp3` in the clip's own format.", headers=("Location",))},
    problems=(NotFound, Gone, StoreUnavailable),
)
def shared_file(share_id: str, suffix: str) -> Response:
    """A permanent address, which redirects to a signed link that expires."""
    here = services()
    output = _output(here.shares.get(share_id))
    keys = {"png": output.image.key, output.audio.format: output.audio.key}
    if suffix not in keys:
        raise NotFound(f"This clip has no {suffix} file; it has {' and '.join(keys)}.")
    response = redirect(here.files.url(keys[suffix]).url)
    response.headers["Cache-Control"] = "no-store"
    assert isinstance(response, Response)  # noqa: S101 - werkzeug's type is wider
    return response


def describe(share_id: str) -> SharedClip:
    """A published clip.

    Raises:
        NotFound, Gone: there is none, or not any more.
        StoreUnavailable: Redis doesn't respond.
    """
    here = services()
    record = here.shares.get(share_id)
    output = _output(record)
    base = here.presenter.address(f"/clips/{share_id}")
    return SharedClip(
        id=share_id, url=base, mode=record.mode, model=record.model, request=shareable(record.request),
        created_at=datetime.fromtimestamp(record.created_at, UTC),
        image_url=f"{base}/clip.png", audio_url=f"{base}/clip.{output.audio.format}",
        duration_s=output.audio.duration_s, format=output.audio.format,
        width=output.image.width, height=output.image.height,
    )  # fmt: skip


def _output(record: JobRecord) -> JobOutput:
    """The files; every published job has some."""
    assert record.result is not None  # noqa: S101
    return record.result
