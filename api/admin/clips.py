"""Published clips: reports of them, take down, restore, dismiss."""

from flask import Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from api.admin.authorization import PROBLEMS, actor, blueprint, record
from api.admin.clip_schemas import (
    ClipActed,
    ClipActionRequest,
    ClipList,
    ClipQuery,
    ClipReports,
    ClipTakedown,
    OperatorClip,
    RestoreRequest,
    TakedownList,
    TakedownQuery,
    TakeDownRequest,
)
from api.json_body import JSON_TYPE, json_response, read_model
from api.operations import Reply, operation
from api.query import read_query
from api.representation import utc
from api.services import services
from riffusion.errors import Gone, InvalidRequest, NotFound
from riffusion.jobs.gallery import ListedClip
from riffusion.requests import title, untitled


@blueprint.get("/clips")
@operation(
    "List published clips, newest first",
    {200: Reply("A page of them.", {JSON_TYPE: ClipList})},
    query=ClipQuery,
    problems=(*PROBLEMS, InvalidRequest),
)
def admin_clips() -> Response:
    """For an operator's key. Those that visitors have reported, unless another list is asked for."""
    tools, query = services().operator, read_query(ClipQuery)
    page = tools.moderation.clips.all(query.index, query.limit, query.cursor or "")
    return json_response(
        ClipList(at=utc(tools.monitor.now()), clips=[_present(each) for each in page.clips], next_cursor=page.cursor)
    )


@blueprint.get("/takedowns")
@operation(
    "List clips that were taken down, newest first",
    {200: Reply("A page of them.", {JSON_TYPE: TakedownList})},
    query=TakedownQuery,
    problems=(*PROBLEMS, InvalidRequest),
)
def admin_takedowns() -> Response:
    """For an operator's key. A take-down outlasts its clip: the same clip made again can't be published either."""
    tools, query = services().operator, read_query(TakedownQuery)
    found, cursor = tools.moderation.takedowns.list(query.limit, query.cursor or "")
    takedowns = [
        ClipTakedown(id=each.share_id or each.digest, reason=each.reason, by=each.by, at=utc(each.at)) for each in found
    ]
    return json_response(TakedownList(at=utc(tools.monitor.now()), takedowns=takedowns, next_cursor=cursor))


@blueprint.post("/clips")
@operation(
    "Take a published clip down, restore it, or dismiss reports of it",
    {200: Reply("Done.", {JSON_TYPE: ClipActed})},
    body={JSON_TYPE: ClipActionRequest},
    problems=(*PROBLEMS, BadRequest, RequestEntityTooLarge, UnsupportedMediaType, InvalidRequest, NotFound, Gone),
)
def admin_act_on_clip() -> Response:
    """For an operator's key. A taken-down clip is gone for everybody; its maker keeps the job."""
    wanted, moderation = read_model(request, ClipActionRequest).root, services().operator.moderation
    if isinstance(wanted, RestoreRequest):
        digest = moderation.find_taken_down(wanted.id)
        record("clip.restore", wanted.id)
        moderation.takedowns.restore(digest)
        return json_response(ClipActed(id=wanted.id))
    target = moderation.find(wanted.id)
    if isinstance(wanted, TakeDownRequest):
        record("clip.takedown", wanted.id, reason=wanted.reason, job=target.job_id)
        moderation.take_down(target, wanted.reason, actor())
    else:
        record("clip.dismiss", wanted.id)
        moderation.reports.dismiss(wanted.id)
    return json_response(ClipActed(id=wanted.id))


def _present(clip: ListedClip) -> OperatorClip:
    reports = clip.reports
    return OperatorClip(
        id=clip.share_id, url=services().presenter.address(f"/clips/{clip.share_id}"), job=clip.record.id,
        client=clip.record.tenant, title=title(clip.record.request) or untitled(clip.record.mode), at=utc(clip.at),
        listed=clip.listed, takedown=clip.takedown,
        reports=ClipReports(count=reports.count, reasons=dict(reports.reasons), details=list(reports.details)),
    )  # fmt: skip
