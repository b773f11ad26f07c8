"""Everyone's jobs: found, shown, canceled, requeued and purged."""

from collections.abc import Sequence

from flask import Response, request
from pydantic import JsonValue
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from api.admin.authorization import PROBLEMS, blueprint, record
from api.admin.representation import present_detail, present_job
from api.admin.schemas import (
    JobActionRequest,
    JobFilterFields,
    JobQuery,
    JobsActed,
    OperatorJobDetail,
    OperatorJobPage,
    RefusedJob,
)
from api.json_body import JSON_TYPE, json_response, read_model
from api.operations import Reply, operation
from api.query import MAX_PAGE, read_query
from api.representation import utc
from api.services import services
from riffusion.errors import Gone, InvalidRequest, NotFound, RequestError, RiffusionError, UnavailableError
from riffusion.jobs.search import JobFilter


@blueprint.get("/jobs")
@operation(
    "Find jobs of all clients, newest first",
    {200: Reply("A page of those that match.", {JSON_TYPE: OperatorJobPage})},
    query=JobQuery,
    problems=(*PROBLEMS, InvalidRequest),
)
def admin_jobs() -> Response:
    """For an operator's key. One page reads a thousand records at most, so it may be empty before the last one."""
    tools, query = services().operator, read_query(JobQuery)
    now = tools.monitor.now()
    page = tools.search.page(_filter(query), query.limit, query.cursor)
    jobs = [present_job(*each) for each in zip(page.records, page.places, strict=True)]
    return json_response(OperatorJobPage(at=utc(now), jobs=jobs, next_cursor=page.cursor))


@blueprint.get("/jobs/<job_id>")
@operation(
    "See all about a job",
    {200: Reply("Its request and its timeline.", {JSON_TYPE: OperatorJobDetail})},
    problems=(*PROBLEMS, NotFound, Gone),
)
def admin_job(job_id: str) -> Response:
    """For an operator's key."""
    here = services()
    now = here.operator.monitor.now()
    found = here.store.get_with_place(job_id)
    return json_response(present_detail(*found, now, here.settings.result_ttl_s))


@blueprint.post("/jobs")
@operation(
    "Cancel, requeue or purge jobs",
    {200: Reply("What was done, and what couldn't be.", {JSON_TYPE: JobsActed})},
    body={JSON_TYPE: JobActionRequest},
    problems=(*PROBLEMS, BadRequest, RequestEntityTooLarge, UnsupportedMediaType, InvalidRequest),
)
def admin_act_on_jobs() -> Response:
    """For an operator's key. One request acts on a hundred jobs at most; with a filter, it is repeated with the cursor
    of the response. A dry run changes nothing.
    """
    tools, wanted = services().operator, read_model(request, JobActionRequest)
    job_ids, next_cursor = wanted.ids or [], None
    if wanted.filter is not None:
        page = tools.search.page(_filter(wanted.filter), MAX_PAGE, wanted.cursor)
        job_ids, next_cursor = [each.id for each in page.records if wanted.action.concerns(each)], page.cursor
    if job_ids and not wanted.dry_run:
        record(f"job.{wanted.action}", job_ids[0] if len(job_ids) == 1 else "", **_details(wanted, job_ids))
    done, refused = _act(wanted, job_ids)
    return json_response(JobsActed(done=done, refused=refused, next_cursor=next_cursor))


def _act(wanted: JobActionRequest, job_ids: Sequence[str]) -> tuple[list[str], list[RefusedJob]]:
    """The ids of jobs to which it was done, and those to which it couldn't be."""
    jobs = services().operator.jobs
    act = jobs.check if wanted.dry_run else jobs.run
    done: list[str] = []
    refused: list[RefusedJob] = []
    for index, job_id in enumerate(job_ids):
        try:
            act(wanted.action, job_id)
            done.append(job_id)
        except RequestError as error:
            refused.append(_refused(job_id, error))
        except UnavailableError as error:  # a full queue or an outage, which concerns all that follow
            refused += [_refused(each, error) for each in job_ids[index:]]
            break
    return done, refused


def _refused(job_id: str, error: RiffusionError) -> RefusedJob:
    return RefusedJob(id=job_id, code=error.code, detail=str(error))


def _details(wanted: JobActionRequest, job_ids: Sequence[str]) -> dict[str, JsonValue]:
    """For the audit log: which jobs, and by which filter they were found."""
    found: dict[str, JsonValue] = {}
    if len(job_ids) > 1:
        found |= {"count": len(job_ids), "ids": list(job_ids)}
    if wanted.filter is not None:
        found["filter"] = wanted.filter.model_dump(mode="json", exclude_none=True)
    return found


def _filter(fields: JobFilterFields) -> JobFilter:
    return JobFilter(
        status=fields.status, model=fields.model, client=fields.client, key=fields.key, error=fields.error,
        since=fields.since.timestamp() if fields.since else None,
        before=fields.before.timestamp() if fields.before else None,
    )  # fmt: skip
