"""Publishing a clip, and the published clip as JSON and as files. Its pages for people are in web/clip_pages.py."""

from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from api.authentication import caller
from api.ip_networks import address_client
from api.json_body import JSON_TYPE, json_response, read_model
from api.operations import Reply, operation
from api.schemas import Report, Share, SharedClip
from api.services import services
from riffusion.errors import (
    Blocked,
    Gone,
    InvalidRequest,
    NotFound,
    StoreUnavailable,
    TakenDown,
    TooManyRequests,
    Unauthorized,
    UnknownReference,
)
from riffusion.jobs.record import JobOutput, JobRecord
from riffusion.requests import shareable

NO_GALLERY = "This server has no gallery: its operator hasn't switched one on."

blueprint = Blueprint("shares", __name__)


@blueprint.post("/jobs/<job_id>/publish")
@operation(
    "Publish a clip",
    {201: Reply("Its share id, and the page that shows it.", {JSON_TYPE: Share}, headers=("Location",))},
    problems=(Unauthorized, Blocked, NotFound, Gone, TakenDown, InvalidRequest, UnknownReference, StoreUnavailable),
)
def publish(job_id: str) -> Response:
    """Anyone with the share id may see, hear and download the clip while it is kept, and nothing else.

    Publishing again returns the same id; deleting the job deletes the page. It puts the clip into no list.
    """
    share = _share(services().shares.publish(job_id, caller().identity))
    response = Response(share.model_dump_json(), 201, content_type=JSON_TYPE)
    response.headers["Location"] = share.url
    return response


@blueprint.post("/jobs/<job_id>/listing")
@operation(
    "List a published clip in the gallery",
    {200: Reply("It is listed now.", {JSON_TYPE: Share})},
    problems=(
        Unauthorized, Blocked, NotFound, Gone, TakenDown, InvalidRequest, UnknownReference, TooManyRequests,
        StoreUnavailable,
    ),
)  # fmt: skip
def list_clip(job_id: str) -> Response:
    """From then on, everyone who visits this server may find the clip: only for those who have chosen that.

    404 unless the operator has switched the gallery on.
    """
    here, who = services(), caller()
    if not here.settings.gallery:
        raise NotFound(NO_GALLERY)
    return json_response(_share(here.gallery.add(job_id, who.identity)))


@blueprint.delete("/jobs/<job_id>/listing")
@operation(
    "Take a published clip out of the gallery",
    {200: Reply("It isn't listed any more.", {JSON_TYPE: Share})},
    problems=(Unauthorized, NotFound, Gone, InvalidRequest, UnknownReference, StoreUnavailable),
)
def unlist_clip(job_id: str) -> Response:
    """It stays published: anyone who has the link may still hear it."""
    return json_response(_share(services().gallery.remove(job_id, caller().identity)))


@blueprint.post("/clips/<share_id>/report")
@operation(
    "Report a published clip to the operators",
    {204: Reply("The report is noted, or this client's earlier one was.")},
    body={JSON_TYPE: Report},
    problems=(
        Blocked, NotFound, Gone, TakenDown, BadRequest, RequestEntityTooLarge, UnsupportedMediaType, InvalidRequest,
        TooManyRequests, StoreUnavailable,
    ),
)  # fmt: skip
def report_clip(share_id: str) -> Response:
    """No key is needed. A report hides nothing by itself: an operator looks at the clip."""
    here, report = services(), read_model(request, Report)
    here.shares.get(share_id)
    address, networks = address_client(request)
    here.reports.add(share_id, report.reason, report.details, (address, *networks))
    return Response(status=204)


@blueprint.get("/clips/<share_id>.json")
@operation(
    "Get a published clip",
    {200: Reply("The request that made it, and links to its files.", {JSON_TYPE: SharedClip})},
    problems=(NotFound, Gone, TakenDown, StoreUnavailable),
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
    problems=(NotFound, Gone, TakenDown, StoreUnavailable),
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
        NotFound, Gone, TakenDown: there is none, or not any more.
        StoreUnavailable: Redis doesn't respond.
    """
    here = services()
    return present_clip(share_id, here.shares.get(share_id), here.gallery.is_listed(share_id))


def present_clip(share_id: str, record: JobRecord, listed: bool) -> SharedClip:
    """A published clip as everyone sees it."""
    output = _output(record)
    base = services().presenter.address(f"/clips/{share_id}")
    return SharedClip(
        id=share_id, url=base, mode=record.mode, model=record.model, request=shareable(record.request),
        created_at=datetime.fromtimestamp(record.created_at, UTC), listed=listed, embed_url=f"{base}/embed",
        image_url=f"{base}/clip.png", audio_url=f"{base}/clip.{output.audio.format}",
        duration_s=output.audio.duration_s, format=output.audio.format,
        width=output.image.width, height=output.image.height,
    )  # fmt: skip


def _share(share_id: str) -> Share:
    here = services()
    listed = here.gallery.is_listed(share_id)
    return Share(id=share_id, url=here.presenter.address(f"/clips/{share_id}"), listed=listed)


def _output(record: JobRecord) -> JobOutput:
    """The files; every published job has some."""
    assert record.result is not None  # noqa: S101
    return record.result
