"""What runs now."""

from flask import Response

from api.admin.authorization import PROBLEMS, blueprint, operator_key
from api.admin.schemas import HeldJob, ModelQueue, OperatorName, OverviewQuery, ServiceOverview, WorkerState
from api.json_body import JSON_TYPE, json_response
from api.operations import Reply, operation
from api.query import read_query
from api.representation import utc
from api.schemas import Progress
from api.services import services
from riffusion.errors import InvalidRequest
from riffusion.jobs.overview import ModelOverview, WorkerOverview


@blueprint.get("/overview")
@operation(
    "See what runs",
    {200: Reply("Every model, and a page of workers with the jobs that they hold.", {JSON_TYPE: ServiceOverview})},
    query=OverviewQuery,
    problems=(*PROBLEMS, InvalidRequest),
)
def admin_overview() -> Response:
    """For an operator's key. As of one moment, from what leases and heartbeats have written; nothing is estimated but
    `clears_in_s`.
    """
    here, query, key = services(), read_query(OverviewQuery), operator_key()
    found = here.operator.monitor.overview(query.limit, query.cursor)
    return json_response(
        ServiceOverview(
            at=utc(found.at),
            operator=OperatorName(key=key.id, name=key.name),
            models=[_model(model, here.settings.model) for model in found.models],
            workers=[_worker(worker, found.at, here.settings.lease_s) for worker in found.workers],
            next_cursor=found.cursor,
        )
    )


def _model(model: ModelOverview, default: str) -> ModelQueue:
    return ModelQueue(
        name=model.name, default=model.name == default, state=model.state, workers=model.workers, slots=model.slots,
        waiting=model.waiting, running=model.running, lost=model.running - model.held, clears_in_s=model.clears_in_s,
    )  # fmt: skip


def _worker(worker: WorkerOverview, now: float, lease_s: float) -> WorkerState:
    jobs = [
        HeldJob(
            id=job.id, client=job.client, mode=job.mode, attempts=job.attempts, started_at=utc(job.started_at),
            progress=Progress(step=job.step, total=job.total) if job.total else None,
            lease_left_s=max(0.0, round(job.lease_until - now, 3)),
        )
        for job in worker.jobs
    ]  # fmt: skip
    late = worker.model is None or (worker.seen_s is not None and worker.seen_s > lease_s / 2)
    return WorkerState(
        name=worker.name, model=worker.model, slots=worker.slots, seen_s=worker.seen_s, late=late, alone=worker.alone,
        jobs=jobs,
    )  # fmt: skip
